"""What networks of strided convolutions share: images of any size become smaller, and grow back."""

from collections.abc import Sequence

from torch import Size, Tensor, nn

from vae_cli.errors import InvalidOption
from vae_cli.example import ExampleKind

Area = tuple[int, int]  # height and width
IMAGES: frozenset[ExampleKind] = frozenset({"image"})


def is_encoder(name: str, in_shape: Size, out_shape: Size, channels: Sequence[int]) -> bool:
    """Whether a network leads from images to vectors, rather than back.

    Raises:
        InvalidOption: If it does neither, or has no stage.
    """
    if not channels:
        raise InvalidOption("channels", [], "needs at least one stage", "Try {}=mlp.")
    if {len(in_shape), len(out_shape)} != {1, 3}:
        rule = f"leads from images to vectors or back, not from {in_shape} to {out_shape}"
        raise InvalidOption("", name, rule, "Try {}=mlp.")
    return len(in_shape) == 3


def areas(image: Size, strides: Sequence[int]) -> list[Area]:
    """Height and width of an image ``(C, H, W)`` and after each stage: divided, rounded up."""
    _, height, width = image
    found = [(height, width)]
    for stride in strides:
        height, width = -(-height // stride), -(-width // stride)
        found.append((height, width))
    return found


def shrinking(c_in: int, c_out: int, kernel: int, stride: int) -> nn.Conv2d:
    """A convolution that divides height and width by its stride, rounding up; odd kernels."""
    return nn.Conv2d(c_in, c_out, kernel, stride, padding=kernel // 2)


def growing(
    c_in: int, c_out: int, kernel: int, stride: int, small: Area, large: Area
) -> nn.ConvTranspose2d:
    """A transposed convolution that leads back from ``small`` to exactly the ``large`` it was."""
    height, width = (n - (stride * (m - 1) + 1) for m, n in zip(small, large, strict=True))
    return nn.ConvTranspose2d(
        c_in, c_out, kernel, stride, padding=kernel // 2, output_padding=(height, width)
    )


def apply(layers: nn.Module, x: Tensor, in_shape: Size, out_shape: Size) -> Tensor:
    """Applies layers, which know one batch dimension, to ``(..., *in_shape)``."""
    batch_shape = x.shape[: x.dim() - len(in_shape)]
    return layers(x.reshape(-1, *in_shape)).reshape(*batch_shape, *out_shape)


def apply_encoder(
    layers: nn.Sequential, x: Tensor, in_shape: Size, out_shape: Size, joins: Tensor | None
) -> Tensor:
    """``apply`` for an encoder, whose last two layers are an activation and a linear map.

    Args:
        layers: Known to map images to vectors before those two.
        x, in_shape, out_shape: As for ``apply``.
        joins: What is added to those vectors, ``(*batch, width)``; None for nothing.
    """
    if joins is None:
        return apply(layers, x, in_shape, out_shape)
    width = joins.shape[-1:]
    joined = apply(layers[:-2], x, in_shape, width) + joins
    return apply(layers[-2:], joined, width, out_shape)
