"""Two pictures in one."""

from matplotlib.figure import Figure as Canvas

from vae_cli.figure.base import PAD, Drawing, pixels
from vae_cli.figure.ink import LABEL_SIZE, text_width

DPI = 200


def beside(names: tuple[str, str], drawings: tuple[Drawing, Drawing]) -> Drawing:
    """Pictures of two models beside each other, each under its name; as pixels, whatever they were.

    Args:
        names: From the left.
        drawings: Likewise. The numbers of the second one are called ``beside_NAME``.
    """
    images = [pixels(drawing.canvas, DPI) for drawing in drawings]
    heading = LABEL_SIZE / 72 + 2 * PAD
    widths = [
        max(image.shape[1] / DPI, text_width(name, LABEL_SIZE) + 2 * PAD)
        for image, name in zip(images, names, strict=True)
    ]
    size = (sum(widths), max(image.shape[0] / DPI for image in images) + heading)
    canvas = Canvas(figsize=size, dpi=DPI)
    left = 0.0
    for image, name, width in zip(images, names, widths, strict=True):
        height, across = image.shape[0] / DPI, image.shape[1] / DPI
        bottom = size[1] - heading - height
        canvas.text((left + width / 2) / size[0], 1 - PAD / size[1], name,
                    fontsize=LABEL_SIZE, ha="center", va="top", parse_math=False)  # fmt: skip
        axes = canvas.add_axes(
            ((left + (width - across) / 2) / size[0], bottom / size[1],
             across / size[0], height / size[1])
        )  # fmt: skip
        axes.imshow(image, interpolation="none")
        axes.set_axis_off()
        left += width
    first, second = (drawing.arrays for drawing in drawings)
    return Drawing(canvas, {**first, **{f"beside_{name}": a for name, a in second.items()}})
