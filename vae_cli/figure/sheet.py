"""Images laid out in rows, as pixels and as a picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from vae_cli.example import is_point
from vae_cli.figure.ink import FRAME_WIDTH, LABEL_SIZE, TITLE_SIZE, new_canvas, text_width
from vae_cli.figure.points import Panel, in_plane, plane_frames
from vae_cli.figure.scale import Scale

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

Limits = tuple[float, float]  # the values that are black and white
GREY: Limits = (0.0, 1.0)
GAP = 1  # pixels between images
INCH = 0.55  # width of one image in a grid
PAD = 0.08  # inches of white around a grid
LINE = 1.2  # sizes of the type from a line of a title to the next
STRIP = 24  # pixels above a frame that hold its caption


def tile(images: Tensor, columns: int, limits: Limits = GREY) -> np.ndarray:
    """Lays images out row by row.

    Args:
        images: Shape ``(N, C, H, W)``; values beyond the limits are clipped.
        columns: Images in a row.
        limits: The values that are black and white.

    Returns:
        Shape ``(rows, width, 3)``, uint8. Images of neither one nor three channels are averaged
        over their channels.
    """
    pixels = to_grey(images.detach().float(), limits).mul(255).round().byte().cpu()
    if pixels.shape[1] not in (1, 3):
        pixels = pixels.float().mean(1, keepdim=True).byte()
    count, _, height, width = pixels.shape
    rows = -(-count // columns)
    sheet = torch.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), 255)
    for i, image in enumerate(pixels):
        top, left = i // columns * (height + GAP), i % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = image.permute(1, 2, 0)
    return sheet.byte().numpy()


def as_images(x: Tensor) -> Tensor:
    """Examples ``(N, *shape)`` as images ``(N, C, H, W)``: a vector is a row of pixels."""
    return x if x.dim() == 4 else x.flatten(1)[:, None, None]


def to_grey(values: Tensor, limits: Limits) -> Tensor:
    """Values as grey levels from 0, black, to 1, white.

    Example:
        >>> to_grey(torch.tensor([-1.0, 0.0, 2.0]), (-1.0, 1.0))
        tensor([0.0000, 0.5000, 1.0000])
    """
    black, white = limits
    return ((values - black) / (white - black)).clamp(0, 1)


def describe_limits(limits: Limits) -> str:
    """What a caption says of the values that are black and white, if they are not 0 and 1."""
    return "" if limits == GREY else f" (black: {limits[0]:.3g}, white: {limits[1]:.3g})"


def animation(
    pictures: Sequence[tuple[Tensor, str]], columns: int, limits: Limits = GREY
) -> list[np.ndarray]:
    """Frames of an animation: images laid out as by ``tile``, and enlarged without blur.

    Args:
        pictures: Images and a caption for each frame.
        columns, limits: See ``tile``.
    """
    images = [each for each, _ in pictures]
    if images and is_point(images[0].shape[1:]):
        frames = plane_frames(images, columns)
    else:
        frames = [tile(each, columns, limits) for each in images]
    return [captioned(each, caption) for each, (_, caption) in zip(frames, pictures, strict=True)]


def captioned(pixels: np.ndarray, caption: str) -> np.ndarray:
    """An image enlarged without blur to the width of an animation, with words above it.

    Args:
        pixels: Shape ``(H, W, 3)``, uint8.
        caption: One line.
    """
    scale = max(1, round(FRAME_WIDTH / pixels.shape[1]))
    enlarged = Image.fromarray(pixels.repeat(scale, 0).repeat(scale, 1))
    whole = Image.new("RGB", (enlarged.width, enlarged.height + STRIP), "white")
    whole.paste(enlarged, (0, STRIP))
    font = ImageFont.load_default(size=STRIP * 2 / 3)
    ImageDraw.Draw(whole).text((STRIP / 4, STRIP / 8), caption, "black", font)
    return np.asarray(whole)


def sheet(
    images: Tensor,
    columns: int,
    title: str,
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    limits: Limits = GREY,
    scale: Scale | None = None,
) -> "Canvas":
    """A titled grid of images, pixels enlarged without blur; of points of the plane, the plane.

    Args:
        images, columns, limits: See ``tile``; the title says what is black and white.
        title: Above all.
        row_labels: To the left of the rows, one each, if any.
        column_labels: Above the columns, one each, if any.
        scale: Where images stand in a plane, in place of labels.
    """
    if is_point(images.shape[1:]):
        names = [label for label in row_labels for _ in range(columns)]
        names = names or [*column_labels] * (len(images) // columns)
        return in_plane([Panel(title, images, names)])
    height, width = images.shape[-2:]
    rows = -(-len(images) // columns)
    title += describe_limits(limits)
    # Placed by hand: a layout engine does not foresee the fixed aspect, and cuts long labels off.
    left = PAD + max((text_width(label, LABEL_SIZE) + PAD for label in row_labels), default=0)
    left = left if scale is None else PAD + scale.left
    below = PAD if scale is None else scale.below
    inner = (columns * INCH, rows * INCH * height / width)
    overhang = max(0.0, text_width(title, TITLE_SIZE) - inner[0]) / 2
    left = max(left, overhang + PAD)
    turn, head = heads(column_labels, INCH)
    head += 2 * PAD + len(title.splitlines()) * LINE * TITLE_SIZE / 72
    size = (left + inner[0] + overhang + PAD, below + inner[1] + head)
    canvas = new_canvas(size)
    axes = canvas.add_axes(
        (left / size[0], below / size[1], inner[0] / size[0], inner[1] / size[1])
    )
    axes.imshow(tile(images, columns, limits), interpolation="none")
    axes.set_title(title, fontsize=TITLE_SIZE)
    if scale is not None:
        scale.put(axes, (height, width), GAP)
        return canvas
    centers = [row * (height + GAP) + (height - 1) / 2 for row in range(len(row_labels))]
    axes.set_yticks(centers, row_labels, fontsize=LABEL_SIZE)
    centers = [column * (width + GAP) + (width - 1) / 2 for column in range(len(column_labels))]
    axes.xaxis.tick_top()
    axes.set_xticks(centers, column_labels, fontsize=LABEL_SIZE, rotation=turn)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return canvas


def heads(labels: Sequence[str], width: float) -> tuple[int, float]:
    """How labels go above or below columns: their rotation in degrees, and the inches they take.

    They stand upright where one of them is wider than a column.

    Args:
        labels: Maybe none.
        width: Of a column, in inches.
    """
    widest = max((text_width(label, LABEL_SIZE) for label in labels), default=0)
    if widest + PAD > width:
        return 90, widest + 2 * PAD
    return 0, LABEL_SIZE / 72 + PAD if labels else 0
