"""Where commands print to, as wide and as colourful as it takes, and what they may print."""

import os
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from vae_cli.errors import NOTE

GAP = "   "
WIDE = 140  # columns for tables where the output is no terminal


def printable(text: object, keep: str = "") -> str:
    """A text that only shows what it holds, on one line.

    Signs that move a cursor, end a line or turn the direction of reading stand as Python writes
    them: ``\\x1b``. A run's folder may come from anybody: all of its texts pass through here on
    their way to a terminal, a page or a table.

    Args:
        text: The text.
        keep: Signs that stay, as line breaks where they are harmless.
    """
    line = str(text)
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in line)


def print_line(console: Console, text: object, style: str = "") -> None:
    """Prints a text on one line, however long; neither markup nor emoji codes mean anything."""
    console.print(Text(printable(text), style), soft_wrap=True)


def print_note(console: Console, text: str) -> None:
    """Prints something to know that is no mistake."""
    print_line(console, f"{NOTE}{text}")


def make_console(quiet: bool = False) -> Console:
    """A console; one that knows no escape codes where they are not wanted or not understood."""
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
