"""Two pictures in one."""

from matplotlib.figure import Figure as Canvas

from vae_cli.figure.base import PAD, Drawing, pixels
from vae_cli.figure.ink import LABEL_SIZE, text_width
from vae_cli.glyphs import drawable

DPI = 200


def beside(names: tuple[str, str], drawings: tuple[Drawing, Drawing]) -> Drawing:
    """Pictures of two models beside each other, each under its name; as pixels, whatever they were.

    The second is scaled to have its first axes as wide as those of the first, and both are placed
    to have their tops in line: what stands around axes (a colour bar's numbers, headings) differs.

    Args:
        names: From the left.
        drawings: Likewise. The numbers of the second one are called ``beside_NAME``.
    """
    headings = drawable(names)
    images = [pixels(drawing.canvas, DPI) for drawing in drawings]
    (_, width), (_, other_width) = (_first_axes(drawing.canvas) for drawing in drawings)
    resolution = round(DPI * width / other_width)
    if resolution != DPI:
        images[1] = pixels(drawings[1].canvas, resolution)
    above = [_first_axes(drawing.canvas)[0] / DPI for drawing in drawings]
    heading = LABEL_SIZE / 72 + 2 * PAD
    widths = [
        max(image.shape[1] / DPI, text_width(name, LABEL_SIZE) + 2 * PAD)
        for image, name in zip(images, headings, strict=True)
    ]
    tops = [heading + max(above) - each for each in above]  # inches below the whole's
    bottoms = [top + image.shape[0] / DPI for top, image in zip(tops, images, strict=True)]
    size = (sum(widths), max(bottoms))
    canvas = Canvas(figsize=size, dpi=DPI)
    left = 0.0
    for image, name, width, bottom in zip(images, headings, widths, bottoms, strict=True):
        height, across = image.shape[0] / DPI, image.shape[1] / DPI
        canvas.text((left + width / 2) / size[0], 1 - PAD / size[1], name,
                    fontsize=LABEL_SIZE, ha="center", va="top")  # fmt: skip
        axes = canvas.add_axes(
            ((left + (width - across) / 2) / size[0], 1 - bottom / size[1],
             across / size[0], height / size[1])
        )  # fmt: skip
        axes.imshow(image, interpolation="none")
        axes.set_axis_off()
        left += width
    first, second = (drawing.arrays for drawing in drawings)
    return Drawing(canvas, {**first, **{f"beside_{name}": a for name, a in second.items()}})


def _first_axes(canvas: Canvas) -> tuple[float, float]:
    """Of a figure that has been drawn, how far its first axes are from its top and how wide."""
    frame = canvas.axes[0].get_window_extent()
    return canvas.bbox.height - frame.y1, frame.width
