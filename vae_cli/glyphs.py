"""Names of anybody's classes and runs as matplotlib draws them: as they are written."""

import warnings
from collections.abc import Iterable
from functools import cache

from vae_cli.console import printable
from vae_cli.errors import Notice

DOLLAR = r"\$"  # a pair without the sign makes a formula
BOXES = "Last Resort"  # matplotlib's font of boxes, which has every character
SHOWN = 10  # characters that a notice names
SIZE = 10  # points, in which a glyph is tried

_replaced = set[str]()  # characters that no font has; each is reported once


def drawable(names: Iterable[str]) -> list[str]:
    """Names as matplotlib takes them.

    No name is a formula, and none is hidden from a legend. Where matplotlib's own font lacks a
    character, an installed font that has it is added; if none has, the picture shows the
    character's number, ``\\u732b``, and a Notice says so once.
    """
    lines = [printable(name) for name in names]
    missing = _add_fonts({sign for line in lines for sign in line})
    if new := sorted(missing - _replaced):
        _replaced.update(new)
        shown = " ".join(new[:SHOWN]) + (" …" if len(new) > SHOWN else "")
        rule = f"no installed font has {shown}: pictures show numbers, as {_number(new[0])}"
        remedy = "Install a font that has them, such as Noto Sans CJK."
        warnings.warn(f"{rule}. {remedy}", Notice, stacklevel=2)
    return [_as_text("".join(_number(c) if c in missing else c for c in line)) for line in lines]


def as_named(text: str) -> str:
    """The name that ``drawable`` made such a text of."""
    return text.replace(DOLLAR, "$").removeprefix(" ")


def _as_text(line: str) -> str:
    text = line.replace("$", DOLLAR)
    return f" {text}" if text.startswith("_") else text  # which a legend would leave out


def _number(character: str) -> str:
    return character.encode("ascii", "backslashreplace").decode()


def _add_fonts(characters: set[str]) -> set[str]:
    """Adds fonts to matplotlib's own, as few as it takes; the characters that none has."""
    import matplotlib as mpl
    from matplotlib.font_manager import fontManager

    families = list(mpl.rcParams["font.family"])
    missing = {c for c in characters if not any(_has(family, c) for family in families)}
    others = sorted({entry.name for entry in fontManager.ttflist}) if missing else []
    for family in others:
        found = {c for c in missing if not family.startswith(BOXES) and _has(family, c)}
        if found:
            families.append(family)
            missing -= found
    mpl.rcParams["font.family"] = families
    return missing


@cache
def _has(family: str, character: str) -> bool:
    """Whether a font can draw a character; fonts of coloured bitmaps, as of emoji, can't."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    try:
        font = get_font(findfont(FontProperties(family=[family])))
        font.set_size(SIZE, 72)
        if not font.get_char_index(ord(character)):
            return False
        font.load_char(ord(character))
    except (OSError, RuntimeError, ValueError):
        return False
    return True
