"""Names of classes and runs in pictures: what they are called, and never a formula."""

import pytest
import torch

from vae_cli.figure.base import Drawing, pixels, sheet
from vae_cli.figure.beside import beside
from vae_cli.figure.ink import LABEL_SIZE, drawable, text_width
from vae_cli.figure.points import Panel, in_plane

NAMES = ["$\\frac$", "$x_2$", "a\tb\nc", "\x1b[31m", "\u202egnp", "_hidden", "\\$", "\udcff", ""]


def test_names_that_would_be_formulas_are_drawn() -> None:
    with pytest.raises(ValueError):
        text_width(NAMES[0], LABEL_SIZE)
    names = [drawable(name) for name in NAMES]
    canvas = sheet(torch.zeros(len(names), 1, 4, 4), len(names), "title", column_labels=names)
    assert pixels(canvas, 50).ndim == 3
    points = in_plane([Panel("title", torch.ones(len(names), 1, 1, 2), names)])
    pixels(points, 50)
    shown = [text.get_text() for text in points.axes[0].get_legend().get_texts()]
    assert len(shown) == len(
        set(names) - {""}
    )  # a legend leaves out what begins with an underscore
    assert beside((NAMES[0], NAMES[1]), (Drawing(canvas, {}), Drawing(canvas, {}))).canvas.texts


def test_a_name_is_as_wide_as_its_signs() -> None:
    assert text_width(drawable("$x_2$"), LABEL_SIZE) > 1.5 * text_width("$x_2$", LABEL_SIZE)
