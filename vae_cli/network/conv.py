"""Convolutional networks for images of any size."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

from torch import Size, Tensor, nn

from vae_cli.network.base import ACTIVATIONS, Network, joining
from vae_cli.network.strided import IMAGES, apply_encoder, areas, growing, is_encoder, shrinking
from vae_cli.options import PositiveInt, checked

KERNEL, STRIDE = 3, 2


class Conv(Network):
    """Strided convolutions from an image to a vector, or their mirror image back.

    Each stage halves the height and width, rounding up; the way back retraces the sizes exactly,
    so every size and number of channels fits. A fully connected layer joins the smallest image
    and the vector.

    Args:
        in_shape: Shape of one input, ``(C, H, W)`` or ``(D,)``.
        out_shape: Shape of one output, the other of the two kinds.
        channels: Channels after each stage, from the image's side.
        hidden_dim: Width of the fully connected layer.
        activation: After every layer but the last.
        condition_dim: Numbers that join at an encoder's fully connected layer; 0 for none.
    """

    takes = IMAGES

    @checked
    def __init__(
        self,
        in_shape: Size,
        out_shape: Size,
        channels: Sequence[PositiveInt] = (32, 64, 128),
        hidden_dim: PositiveInt = 256,
        activation: Literal["relu", "tanh", "softplus", "elu"] = "relu",
        condition_dim: int = 0,
    ) -> None:
        super().__init__()
        encodes = is_encoder("conv", in_shape, out_shape, channels)
        self.in_shape, self.out_shape = in_shape, out_shape
        build = self._encoder if encodes else self._decoder
        self.layers = nn.Sequential(*build(list(channels), hidden_dim, ACTIVATIONS[activation]))
        self.condition = joining(condition_dim, hidden_dim)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """See the base class."""
        joins = None if self.condition is None else self.condition(condition)
        return apply_encoder(self.layers, x, self.in_shape, self.out_shape, joins)

    def _encoder(
        self, channels: list[int], hidden_dim: int, act: Callable[[], nn.Module]
    ) -> list[nn.Module]:
        stack: list[nn.Module] = []
        for c_in, c_out in pairwise([self.in_shape[0], *channels]):
            stack += [shrinking(c_in, c_out, KERNEL, STRIDE), act()]
        height, width = areas(self.in_shape, [STRIDE] * len(channels))[-1]
        smallest = channels[-1] * height * width
        stack += [nn.Flatten(), nn.Linear(smallest, hidden_dim), act()]
        return [*stack, nn.Linear(hidden_dim, self.out_shape[0])]

    def _decoder(
        self, channels: list[int], hidden_dim: int, act: Callable[[], nn.Module]
    ) -> list[nn.Module]:
        path = areas(self.out_shape, [STRIDE] * len(channels))[::-1]
        smallest = (channels[-1], *path[0])
        stack: list[nn.Module] = [nn.Linear(self.in_shape[0], hidden_dim), act()]
        stack += [nn.Linear(hidden_dim, Size(smallest).numel()), act(), nn.Unflatten(1, smallest)]
        widths = [*reversed(channels), self.out_shape[0]]
        for (c_in, c_out), (small, large) in zip(pairwise(widths), pairwise(path), strict=True):
            stack += [growing(c_in, c_out, KERNEL, STRIDE, small, large), act()]
        return stack[:-1]
