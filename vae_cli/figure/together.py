"""Pictures of several models in one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vae_cli.figure.base import Drawing, pixels
from vae_cli.figure.ink import LABEL_SIZE, new_canvas, text_width
from vae_cli.figure.sheet import PAD
from vae_cli.glyphs import drawable

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

DPI = 200
ACROSS = 3  # pictures in a row, at most


def together(names: Sequence[str], drawings: Sequence[Drawing]) -> Drawing:
    """One figure's pictures of several models as one.

    Contents that know how are stacked. Other pictures stand beside each other.

    Args:
        names: Of the models.
        drawings: Likewise. The numbers of a model are called ``MODEL_NAME``.

    Raises:
        Inapplicable: If contents don't go together.
    """
    first, *others = [drawing.content for drawing in drawings]
    known = [each for each in others if each is not None]
    if first is not None and len(known) == len(others):
        canvas = first.stacked(drawable(names), known)
    else:
        canvas = side_by_side(names, [drawing.canvas for drawing in drawings])
    arrays = {
        f"{name.replace('/', '_')}_{key}": array
        for name, drawing in zip(names, drawings, strict=True)
        for key, array in drawing.arrays.items()
    }
    return Drawing(canvas, arrays)


def side_by_side(names: Sequence[str], canvases: Sequence["Canvas"]) -> "Canvas":
    """Pictures beside each other, each under its name; as pixels, whatever they were.

    They are scaled to have their first axes as wide as those of the first, and those in a row are
    placed to have their tops in line: what stands around axes (a colour bar's numbers, headings)
    differs.
    """
    images = [pixels(canvas, DPI) for canvas in canvases]
    _, width = _first_axes(canvases[0])
    for number, canvas in enumerate(canvases):
        resolution = round(DPI * width / _first_axes(canvas)[1])
        if resolution != DPI:
            images[number] = pixels(canvas, resolution)
    above = [_first_axes(canvas)[0] / DPI for canvas in canvases]
    across = min(len(images), ACROSS)
    rows = [range(start, min(start + across, len(images)))
            for start in range(0, len(images), across)]  # fmt: skip
    headings = drawable(names)
    heading = LABEL_SIZE / 72 + 2 * PAD
    widths = [
        max(image.shape[1] / DPI, text_width(name, LABEL_SIZE) + 2 * PAD)
        for image, name in zip(images, headings, strict=True)
    ]
    columns = [max(widths[i] for row in rows for i in row[c : c + 1]) for c in range(across)]
    tops = [heading + max(above[j] for j in row) - above[i] for row in rows for i in row]
    heights = [max(tops[i] + images[i].shape[0] / DPI for i in row) for row in rows]
    canvas = new_canvas((sum(columns), sum(heights)), dpi=DPI)
    for r, row in enumerate(rows):
        for c, i in enumerate(row):
            corner = (sum(columns[:c]) + columns[c] / 2, sum(heights[:r]))
            _place(canvas, images[i], headings[i], corner, tops[i])
    return canvas


def _place(
    canvas: "Canvas", image: np.ndarray, name: str, corner: tuple[float, float], top: float
) -> None:
    """Puts a picture into another; from the left and the top, in inches.

    Args:
        canvas: Of all.
        image: The pixels.
        name: Above it.
        corner: The middle of what it takes, and the upper end.
        top: From the upper end to the picture.
    """
    width, height = canvas.get_size_inches()
    high, wide = image.shape[0] / DPI, image.shape[1] / DPI
    middle, upper = corner
    canvas.text(middle / width, 1 - (upper + PAD) / height, name,
                fontsize=LABEL_SIZE, ha="center", va="top")  # fmt: skip
    bottom = height - upper - top - high
    axes = canvas.add_axes(
        ((middle - wide / 2) / width, bottom / height, wide / width, high / height)
    )
    axes.imshow(image, interpolation="none")
    axes.set_axis_off()


def _first_axes(canvas: "Canvas") -> tuple[float, float]:
    """Of a figure that has been drawn, how far its first axes are from its top and how wide."""
    frame = canvas.axes[0].get_window_extent()
    return canvas.bbox.height - frame.y1, frame.width
