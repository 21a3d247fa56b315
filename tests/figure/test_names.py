"""Names of classes and runs wherever a library would read more into them than text."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib import font_manager
from matplotlib.figure import Figure as Canvas

from vae_cli import glyphs
from vae_cli.errors import Notice
from vae_cli.figure.base import pixels
from vae_cli.figure.ink import LABEL_SIZE, text_width
from vae_cli.figure.points import Panel, in_plane
from vae_cli.figure.sheet import sheet
from vae_cli.figure.together import side_by_side
from vae_cli.glyphs import as_named, drawable
from vae_cli.training.pictures import picture

NAMES = (
    "$5_to_$10", "$\\frac$", "$x_2$", "_background_", "[bold]", "<b>&amp;", "\\alpha", "a\tb\nc",
    "\x1b[31m", "\u202egnp", "\\$", "\udcff", "50%", "#1", "*a*", "a^b", "{}", "~", "naïve", "猫",
    "🐈", "",
)  # fmt: skip


def of_images(names: Sequence[str]) -> Canvas:
    return sheet(torch.zeros(len(names), 1, 4, 4), len(names), "title", column_labels=names)


def of_points(names: Sequence[str]) -> Canvas:
    return in_plane([Panel("title", torch.ones(len(names), 2), names)])


def of_two(names: Sequence[str]) -> Canvas:
    return side_by_side([names[0], names[-1]], [of_images(["a"]), of_images(["a"])])


@pytest.mark.parametrize("draw", [of_images, of_points, of_two])
def test_names_are_drawn_as_they_are_written(
    draw: Callable[[Sequence[str]], Canvas], tmp_path: Path
) -> None:
    names = drawable(NAMES)
    canvas = draw(names)
    assert pixels(canvas, 50).ndim == 3
    for suffix in ("svg", "pdf"):
        canvas.savefig(tmp_path / f"names.{suffix}")
    if draw is of_points:  # a legend leaves out what begins with an underscore
        shown = [text.get_text() for text in canvas.axes[0].get_legend().get_texts()]
        assert shown == names[:-1]


def test_a_name_is_as_wide_as_its_signs() -> None:
    (drawn,) = drawable(["$x_2$"])
    assert text_width(drawn, LABEL_SIZE) > 1.5 * text_width("$x_2$", LABEL_SIZE)
    with pytest.raises(ValueError):
        text_width("$\\frac$", LABEL_SIZE)


def test_tensorboard_shows_a_name_as_it_is_written() -> None:
    names = ["$5_to_$10", "_background_", "[bold]", "<b>"]
    said = picture("styles", of_images(drawable(names))).value[0].metadata.summary_description
    assert r"Columns: \$5_to\_\$10, \_background\_, \[bold\], \<b\>" in said
    assert [as_named(text) for text in drawable(names)] == names


def test_characters_that_no_font_has_are_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glyphs, "_replaced", set())
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [])
    missing = chr(0xE123)  # private, and printable would write it as a number
    assert drawable([missing]) == [r"\ue123"]
    with pytest.warns(Notice, match=re.escape("no installed font has 鸟 🐈: ")):
        assert drawable(["鸟🐈", "a"]) == [r"\u9e1f\U0001f408", "a"]
    assert drawable(["鸟"]) == [r"\u9e1f"]


def test_an_installed_font_that_has_a_character_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    sign = "\u2a0c"  # in STIX, which comes with matplotlib, and not in its Mono
    monkeypatch.setitem(mpl.rcParams, "font.family", ["DejaVu Sans Mono"])
    assert drawable([sign]) == [sign]
    assert mpl.rcParams["font.family"][0] == "DejaVu Sans Mono"
    empty, drawn = (pixels(of_images([text]), 50) for text in ("", sign))
    assert np.shape(empty) != np.shape(drawn) or (empty != drawn).any()
