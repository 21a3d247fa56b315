"""Gated convolutional networks for images of any size."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

from torch import Size, Tensor, nn

from vae_cli.errors import InvalidOption
from vae_cli.network.base import Network, joining
from vae_cli.network.strided import IMAGES, apply_encoder, areas, growing, is_encoder, shrinking
from vae_cli.options import AtLeast, AtMost, PositiveInt, checked

KERNEL = 5


class GatedConv(Network):
    r"""Convolutions whose outputs are gated, from an image to a vector or back.

    A gated layer has no other nonlinearity: :math:`h(x) = (V * x + b) \odot \sigma(W * x + c)`
    (gated linear units, Dauphin et al. 2016, arXiv:1612.08083; in VAEs, van den Berg et al. 2018,
    arXiv:1803.05649). Both halves come from one convolution of twice the channels.

    The encoder ends in a gated map over all that is left of the image and a linear map; the
    decoder begins with its vector spread over an image of that size and ends in a linear map of
    each pixel's channels. With ``decoder_channels`` [64, 64, 32, 32, 32, 32], all else as it is,
    and 28 x 28 pixels these are the layers of the paper's authors.

    Args:
        in_shape: Shape of one input, ``(C, H, W)`` or ``(D,)``.
        out_shape: Shape of one output, the other of the two kinds.
        channels: Channels after each convolution, from the image's side.
        strides: By how much each convolution divides height and width, rounding up; the decoder
            has them in reverse and retraces the sizes exactly.
        hidden_dim: Width of the encoder's map over all that is left of the image.
        decoder_channels: Channels after the decoder's first map and after each convolution, in
            its own order; None goes back through ``channels``.
        condition_dim: Numbers that join at an encoder's last gates; 0 for none.
    """

    takes = IMAGES

    @checked
    def __init__(
        self,
        in_shape: Size,
        out_shape: Size,
        channels: Sequence[PositiveInt] = (32, 32, 64, 64, 64),
        strides: Sequence[Annotated[int, AtLeast(1), AtMost(1000)]] = (1, 2, 1, 2, 1),
        hidden_dim: PositiveInt = 256,
        decoder_channels: Sequence[PositiveInt] | None = None,
        condition_dim: int = 0,
    ) -> None:
        super().__init__()
        encodes = is_encoder("gated_conv", in_shape, out_shape, channels)
        if decoder_channels is None:
            decoder_channels = [*reversed(channels), channels[0]]
        _check_count("strides", strides, len(channels), "one for each of channels")
        rule = "one more than channels has"
        _check_count("decoder_channels", decoder_channels, len(channels) + 1, rule)
        self.in_shape, self.out_shape = in_shape, out_shape
        if encodes:
            stack = self._encoder(channels, strides, hidden_dim)
        else:
            stack = self._decoder(decoder_channels, strides)
        self.layers = nn.Sequential(*stack)
        self.condition = joining(condition_dim, 2 * hidden_dim)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """See the base class."""
        joins = None if self.condition is None else self.condition(condition)
        return apply_encoder(self.layers, x, self.in_shape, self.out_shape, joins)

    def _encoder(
        self, channels: Sequence[int], strides: Sequence[int], hidden_dim: int
    ) -> list[nn.Module]:
        stack: list[nn.Module] = []
        widths = [self.in_shape[0], *channels]
        for (c_in, c_out), stride in zip(pairwise(widths), strides, strict=True):
            stack += [shrinking(c_in, 2 * c_out, KERNEL, stride), nn.GLU(1)]
        smallest = areas(self.in_shape, strides)[-1]
        stack += [nn.Conv2d(channels[-1], 2 * hidden_dim, smallest), nn.Flatten(), nn.GLU(1)]
        return [*stack, nn.Linear(hidden_dim, self.out_shape[0])]

    def _decoder(self, channels: Sequence[int], strides: Sequence[int]) -> list[nn.Module]:
        path = areas(self.out_shape, strides)[::-1]
        latent_dim = self.in_shape[0]
        stack: list[nn.Module] = [nn.Unflatten(1, (latent_dim, 1, 1))]
        stack += [nn.ConvTranspose2d(latent_dim, 2 * channels[0], path[0]), nn.GLU(1)]
        for (c_in, c_out), stride, (small, large) in zip(
            pairwise(channels), reversed(strides), pairwise(path), strict=True
        ):
            stack += [growing(c_in, 2 * c_out, KERNEL, stride, small, large), nn.GLU(1)]
        return [*stack, nn.Conv2d(channels[-1], self.out_shape[0], 1)]


def _check_count(name: str, values: Sequence[int], count: int, rule: str) -> None:
    if len(values) != count:
        raise InvalidOption(name, list(values), f"needs {count} numbers, {rule}")
