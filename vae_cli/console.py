"""Where commands print to, as wide and as colourful as it takes."""

import os
from collections.abc import Iterable

from rich.console import Console

GAP = "   "
WIDE = 140  # columns for tables where the output is no terminal


def make_console(quiet: bool = False) -> Console:
    """A console; one that knows no escape codes where they are not wanted or not understood.

    Args:
        quiet: Prints nothing.
    """
    # rich takes NO_COLOR for colours alone: the bar would still move the cursor.
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") in ("dumb", "unknown")
    console = Console(quiet=quiet, force_terminal=False if plain else None)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDE
    return console


def folded(parts: Iterable[str], width: int) -> list[str]:
    """Lines of whole parts, none wider than ``width`` unless a part is."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(GAP) + len(part) <= width:
            lines[-1] += GAP + part
        else:
            lines.append(part)
    return lines
