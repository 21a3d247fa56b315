"""Convolutional networks for images of any size."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Size, Tensor, nn

from vae_cli.errors import ConfigError
from vae_cli.network.base import ACTIVATIONS, Network
from vae_cli.options import PositiveInt, checked


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
    """

    @checked
    def __init__(
        self,
        in_shape: Size,
        out_shape: Size,
        channels: Sequence[PositiveInt] = (32, 64, 128),
        hidden_dim: PositiveInt = 256,
        activation: Literal["relu", "tanh", "softplus", "elu"] = "relu",
    ) -> None:
        super().__init__()
        if not channels:
            raise ConfigError(
                "network.channels", "[]", "needs at least one stage", "Try network=mlp."
            )
        if {len(in_shape), len(out_shape)} != {1, 3}:
            rule = f"leads from images to vectors or back, not from {in_shape} to {out_shape}"
            raise ConfigError("network", "conv", rule, "Try network=mlp.")
        self.in_shape, self.out_shape = in_shape, out_shape
        act = ACTIVATIONS[activation]
        build = self._encoder if len(in_shape) == 3 else self._decoder
        self.layers = nn.Sequential(*build(list(channels), hidden_dim, act))

    def forward(self, x: Tensor) -> Tensor:
        """See the base class."""
        batch_shape = x.shape[: x.dim() - len(self.in_shape)]
        return self.layers(x.reshape(-1, *self.in_shape)).reshape(*batch_shape, *self.out_shape)

    def _encoder(
        self, channels: list[int], hidden_dim: int, act: type[nn.Module]
    ) -> list[nn.Module]:
        image = torch.tensor(self.in_shape[1:])
        stack: list[nn.Module] = []
        for c_in, c_out in pairwise([self.in_shape[0], *channels]):
            stack += [nn.Conv2d(c_in, c_out, 3, stride=2, padding=1), act()]
            image = (image + 1) // 2
        smallest = channels[-1] * int(image.prod())
        stack += [nn.Flatten(), nn.Linear(smallest, hidden_dim), act()]
        return [*stack, nn.Linear(hidden_dim, self.out_shape[0])]

    def _decoder(
        self, channels: list[int], hidden_dim: int, act: type[nn.Module]
    ) -> list[nn.Module]:
        sizes = [torch.tensor(self.out_shape[1:])]
        for _ in channels:
            sizes.append((sizes[-1] + 1) // 2)
        smallest = (channels[-1], *sizes[-1].tolist())
        stack: list[nn.Module] = [nn.Linear(self.in_shape[0], hidden_dim), act()]
        stack += [nn.Linear(hidden_dim, Size(smallest).numel()), act(), nn.Unflatten(1, smallest)]
        for (c_in, c_out), (small, large) in zip(
            pairwise([*reversed(channels), self.out_shape[0]]),
            pairwise(reversed(sizes)),
            strict=True,
        ):
            height, width = (large - (2 * small - 1)).tolist()  # 1 where the size was even
            up = nn.ConvTranspose2d(
                c_in, c_out, 3, stride=2, padding=1, output_padding=(height, width)
            )
            stack += [up, act()]
        return stack[:-1]
