"""What every picture says of itself: a line below it, as small as it can be read."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vae_cli.errors import shortened
from vae_cli.figure.ink import text_width
from vae_cli.figure.sheet import PAD
from vae_cli.glyphs import drawable

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

SIZE = 6  # points
WIDER = 1.05  # what letters that are fitted to pixels take of the width of their outlines
PIXELS = 12  # the height of letters in an animation


def save_with(
    canvas: "Canvas", file: BinaryIO, kind: str, words: str, about: Mapping[str, str] | None = None
) -> None:
    """Saves a picture with a line of words in a strip below it.

    The picture itself is left as it is: no axes move, whoever placed them. Where a layout engine
    has no room for a label or a legend, the paper grows.

    Args:
        canvas: The picture.
        file: To write to.
        kind: ``png``, ``svg`` or ``pdf``.
        words: The line; its middle is left out where it is wider than the picture.
        about: Texts that the file keeps by name, unseen.
    """
    from matplotlib.transforms import Bbox

    width, height = map(float, canvas.get_size_inches())
    strip = SIZE / 72 + PAD
    line = drawable([fitted_words(words, width - 2 * PAD)])[0]
    text = canvas.text(PAD / width, -0.6 * strip / height, line, fontsize=SIZE, color="0.35",
                       va="center")  # fmt: skip
    paper = Bbox([[0, -strip], [width, height]])
    if canvas.get_layout_engine() is not None:
        canvas.draw_without_rendering()  # which places the axes
        paper = Bbox.union([paper, canvas.get_tightbbox().padded(PAD / 2)])
    canvas.savefig(file, format=kind, bbox_inches=paper, metadata=dict(about or {}))
    text.remove()


def fitted_words(words: str, width: float) -> str:
    """Words that are no wider than so many inches; their middle is left out if need be."""
    return _fitted(words, lambda text: WIDER * text_width(drawable([text])[0], SIZE) <= width)


def frame_with(frame: np.ndarray, words: str) -> np.ndarray:
    """A frame of an animation with a line of words below it, ``(H, W, 3)``, uint8."""
    high, wide, _ = frame.shape
    whole = Image.new("RGB", (wide, high + 2 * PIXELS), "white")
    whole.paste(Image.fromarray(frame), (0, 0))
    font = ImageFont.load_default(size=PIXELS)
    line = _fitted(words, lambda text: font.getlength(text) <= wide - PIXELS)
    place = (PIXELS / 2, high + PIXELS / 4)
    ImageDraw.Draw(whole).text(place, line, (90, 90, 90), font)
    return np.asarray(whole)


def _fitted(words: str, fits: Callable[[str], bool]) -> str:
    """Words, their middle left out where they don't fit; by halving, since measuring is slow."""
    if fits(words):
        return words
    low, high = 0, len(words)  # of the characters that are left: those fit, these don't
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(shortened(words, middle)) else (low, middle)
    return shortened(words, low)
