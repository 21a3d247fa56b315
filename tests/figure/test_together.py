"""Several pictures in one: what is compared stands side by side, or below each other."""

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure as Canvas

from vae_cli.figure.base import Drawing, Inapplicable, pixels
from vae_cli.figure.grid import Grid
from vae_cli.figure.together import DPI, side_by_side, together

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
    pair = pixels(side_by_side("ab", [first.canvas, drawing(size, frame).canvas]), DPI)
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


def grid(seed: int, rows: int = 3, size: int = 4) -> Drawing:
    """Two rows that all have in common, then rows of a model."""
    given, own = torch.zeros(4, 1, size, size), torch.full((2 * rows - 4, 1, size, size), seed / 9)
    labels = ["original", "binarized", *[f"step {n}" for n in range(rows - 2)]]
    return Grid("title", torch.cat([given, own]), 2, labels).drawing({})


def test_what_models_were_given_is_shown_once() -> None:
    axes = together(["a", "b", "c"], [grid(seed) for seed in (1, 2, 3)]).canvas.axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["original", "binarized", "a: step 0", "b: step 0", "c: step 0"]
    assert axes.images[0].get_array()[-1, -1, 0] == round(255 / 3)


def test_grids_without_rows_stand_beside_each_other() -> None:
    drawings = [Grid("title", torch.zeros(4, 1, 3, 3), 2).drawing({}) for _ in range(3)]
    assert [a.get_title() for a in together(["a", "b", "c"], drawings).canvas.axes] == [*"abc"]


def test_images_of_different_sizes_have_no_common_picture() -> None:
    with pytest.raises(Inapplicable, match="images of another size"):
        together(["a", "b"], [grid(1), grid(1, size=5)])


@pytest.mark.parametrize("count", [1, 3, 4, 7])
def test_many_pictures_stand_in_rows(count: int) -> None:
    first = drawing((3.0, 3.0), (0.5, 0.5, 2.0, 2.0))
    canvas = side_by_side([f"run {n}" for n in range(count)], [first.canvas] * count)
    width, height = canvas.get_size_inches()
    assert width == pytest.approx(3.0 * min(count, 3))
    assert height > 3.0 * -(-count // 3) and len(canvas.axes) == count
