"""Two pictures in one: what is compared stands side by side."""

import numpy as np
import pytest
from matplotlib.figure import Figure as Canvas

from vae_cli.figure.base import Drawing, pixels
from vae_cli.figure.beside import DPI, beside

INK = [1.0, 0.0, 0.0]  # of nothing but the axes


def drawing(size: tuple[float, float], frame: tuple[float, float, float, float]) -> Drawing:
    """A picture with one coloured rectangle, at left, bottom, width, height, in inches."""
    canvas = Canvas(figsize=size, dpi=100)
    left, bottom, width, height = frame
    axes = canvas.add_axes((left / size[0], bottom / size[1], width / size[0], height / size[1]))
    axes.imshow(np.full((8, 8, 3), INK), interpolation="none")
    axes.set_axis_off()
    return Drawing(canvas, {"z": np.zeros(2)})


@pytest.mark.parametrize(
    ("size", "frame"),
    [
        ((3.0, 3.0), (0.5, 0.5, 2.0, 2.0)),
        ((3.0, 2.6), (0.5, 0.1, 2.0, 2.0)),  # another margin above
        ((4.0, 4.0), (1.0, 0.5, 2.5, 2.5)),  # larger
        ((2.0, 2.0), (0.2, 0.3, 1.1, 1.1)),  # smaller
    ],
)
def test_axes_have_one_size_and_one_line(
    size: tuple[float, float], frame: tuple[float, float, float, float]
) -> None:
    first = drawing((3.0, 3.0), (0.5, 0.5, 2.0, 2.0))
    pair = pixels(beside(("a", "b"), (first, drawing(size, frame))).canvas, DPI)
    is_ink = (pair[..., 0] > 200) & (pair[..., 1] < 50)
    parts = is_ink[:, : 3 * DPI], is_ink[:, 3 * DPI :]
    boxes = [
        [f(np.flatnonzero(part.any(axis))) for axis in (1, 0) for f in (np.min, np.max)]
        for part in parts
    ]
    (top, bottom, left, right), (other_top, other_bottom, other_left, other_right) = boxes
    assert abs(right - left + 1 - 2 * DPI) <= 2
    # Resolutions are whole numbers: a width is met to half a dot in so many.
    assert abs(right - left - (other_right - other_left)) <= 3
    assert abs(top - other_top) <= 2 and abs(bottom - other_bottom) <= 4
