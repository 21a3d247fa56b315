"""Fully connected networks."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from torch import Size, Tensor, nn

from vae_cli.errors import InvalidOption
from vae_cli.network.base import ACTIVATIONS, Network, joining
from vae_cli.options import PositiveInt, checked


class MLP(Network):
    """Linear maps with activations between them.

    A decoder mirrors its encoder: towards an example, the widths run backwards.

    Args:
        in_shape: Shape of one input.
        out_shape: Shape of one output.
        hidden_dims: Widths of the hidden layers, from the example's side; none gives a linear map.
        activation: One for all hidden layers, or a list with one for each in the order in which
            they are applied: an encoder's first follows the example, a decoder's follows z.
        condition_dim: Numbers that join at the first layer; 0 for none.
        is_decoder: Whether the output is the example; where the output has more axes, it is.
    """

    takes = frozenset({"image", "vector"})

    @checked
    def __init__(
        self,
        in_shape: Size,
        out_shape: Size,
        hidden_dims: Sequence[PositiveInt] = (400, 400),
        activation: (
            Literal["relu", "tanh", "softplus", "elu", "identity"]
            | Sequence[Literal["relu", "tanh", "softplus", "elu", "identity"]]
        ) = "relu",
        condition_dim: int = 0,
        is_decoder: bool = False,
    ) -> None:
        super().__init__()
        names = [activation] * len(hidden_dims) if isinstance(activation, str) else activation
        if len(names) != len(hidden_dims):
            rule = f"needs one name, or one for each of the {len(hidden_dims)} hidden layers"
            raise InvalidOption("activation", list(names), rule)
        mirrored = is_decoder or len(out_shape) > len(in_shape)
        widths = [in_shape.numel(), *(reversed(hidden_dims) if mirrored else hidden_dims)]
        stack: list[nn.Module] = []
        for (n, m), name in zip(pairwise(widths), names, strict=True):
            stack += [nn.Linear(n, m), ACTIVATIONS[name]()]
        self.in_shape, self.out_shape = in_shape, out_shape
        self.layers = nn.Sequential(*stack, nn.Linear(widths[-1], out_shape.numel()))
        self.condition = joining(condition_dim, [*widths, out_shape.numel()][1])

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """See the base class."""
        flat = x.flatten(-len(self.in_shape))
        if self.condition is None:
            # As a matrix: of more axes, a layer's output is a view, and activations in place on
            # a view copy its gradient.
            rows = self.layers(flat.reshape(-1, flat.shape[-1]))
            flat = rows.view(*flat.shape[:-1], rows.shape[-1])
        else:
            flat = self.layers[1:](self.layers[0](flat) + self.condition(condition))
        return flat if len(self.out_shape) == 1 else flat.unflatten(-1, self.out_shape)
