"""What every picture says of itself: a line below it, as small as it can be read."""

from typing import BinaryIO

import numpy as np
from matplotlib.figure import Figure as Canvas
from matplotlib.transforms import Bbox
from PIL import Image, ImageDraw, ImageFont

from vae_cli.errors import shortened
from vae_cli.figure.ink import text_width
from vae_cli.figure.sheet import PAD
from vae_cli.glyphs import drawable

SIZE = 6  # points
PIXELS = 12  # the height of letters in an animation
SHORTEST = 8  # characters


def save_with(canvas: Canvas, file: BinaryIO, kind: str, words: str) -> None:
    """Saves a picture with a line of words in a strip of its own below it.

    The picture itself is left as it is: no axes move, whoever placed them.

    Args:
        canvas: The picture.
        file: To write to.
        kind: ``png``, ``svg`` or ``pdf``.
        words: The line; its middle is left out where it is wider than the picture.
    """
    width, height = canvas.get_size_inches()
    strip = SIZE / 72 + PAD
    line = _fitted(words, width - 2 * PAD)
    text = canvas.text(PAD / width, -0.6 * strip / height, line, fontsize=SIZE, color="0.35",
                       va="center")  # fmt: skip
    canvas.savefig(file, format=kind, bbox_inches=Bbox([[0, -strip], [width, height]]))
    text.remove()


def frame_with(frame: np.ndarray, words: str) -> np.ndarray:
    """A frame of an animation with a line of words below it, ``(H, W, 3)``, uint8."""
    high, wide, _ = frame.shape
    whole = Image.new("RGB", (wide, high + 2 * PIXELS), "white")
    whole.paste(Image.fromarray(frame), (0, 0))
    font, line = ImageFont.load_default(size=PIXELS), words
    while font.getlength(line) > wide - PIXELS and len(line) > SHORTEST:
        line = shortened(words, len(line) - 2)
    place = (PIXELS / 2, high + PIXELS / 4)
    ImageDraw.Draw(whole).text(place, line, (90, 90, 90), font)
    return np.asarray(whole)


def _fitted(words: str, width: float) -> str:
    """Words to be drawn, their middle left out where they are wider than so many inches."""
    line = words
    while text_width(drawable([line])[0], SIZE) > width and len(line) > SHORTEST:
        line = shortened(words, len(line) - 2)
    return drawable([line])[0]
