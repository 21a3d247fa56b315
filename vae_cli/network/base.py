"""What all networks share."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from torch import Tensor, nn

from vae_cli.example import ExampleKind

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": partial(nn.ReLU, inplace=True),  # of a layer's output, which nothing else needs
    "tanh": nn.Tanh,
    "softplus": nn.Softplus,
    "elu": nn.ELU,
    "identity": nn.Identity,
}


class Network(nn.Module, ABC):
    """A map from one shape to another: an encoder from examples to a vector, or a decoder back.

    A network is built from ``in_shape`` and ``out_shape`` and its own options. The shape of
    examples is ``(C, H, W)`` for images and ``(D,)`` for vectors. An encoder may also be built
    with a ``condition_dim``, and then takes a vector of so many numbers beside the example. The
    condition joins where the image has become a vector, so that all layers before are the same for
    all conditions. A network that differs between the two sides where shapes do not tell them
    apart takes ``is_decoder``.

    ``vae_cli.network.build`` makes a ``Network`` of any module with this constructor that knows
    one batch dimension only.

    Attributes:
        takes: The kinds of examples that it can encode or decode.
    """

    takes: ClassVar[frozenset[ExampleKind]]

    @abstractmethod
    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Maps ``(*batch, *in_shape)`` to ``(*batch, *out_shape)``.

        Args:
            x: What is mapped.
            condition: Shape ``(*batch, condition_dim)``; the two batch shapes are broadcast.
        """


def joining(condition_dim: int, width: int) -> nn.Linear | None:
    """What a condition adds to a layer of some width; None without a condition.

    The layer and it are one linear map of x and the condition together.
    """
    return nn.Linear(condition_dim, width, bias=False) if condition_dim else None
