"""What a page, a table or a document must not take from a run's texts."""

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from guard import RAW

ACTIVE = {"script", "iframe", "object", "embed", "link", "meta", "form", "base", "foreignobject"}
ADDRESSES = {"href", "src", "xlink:href", "action", "srcset", "data", "formaction", "poster"}
FORMULA = tuple("=+-@\t\r")
COMMANDS = re.compile(r"\\(input|include|write|immediate|def|csname|openin|openout|catcode)\b")
MARKUP = re.compile(r"<(script|img|svg|/style|!--|a )|(?<!\\)\]\((javascript|http)", re.IGNORECASE)


class _Page(HTMLParser):
    """Counts what a browser would do something about."""

    def __init__(self) -> None:
        super().__init__()
        self.active: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ACTIVE:
            self.active[tag] += 1
        for name, value in attrs:
            safe = (value or "").startswith(("#", "data:image/png;base64,"))
            if name.startswith("on") or (name in ADDRESSES and not safe):
                self.active[f"{tag} {name}"] += 1


def active(page: Path) -> Counter[str]:
    """The tags and attributes of a page that do something, counted."""
    parser = _Page()
    parser.feed(page.read_text(encoding="utf-8"))
    parser.close()
    return parser.active


def check_page(page: Path, usual: Counter[str]) -> Iterator[str]:
    """What a page has that those of good runs do not.

    Args:
        page: The file.
        usual: What ``active`` says of one of a good run.
    """
    more = active(page) - usual
    if more:
        yield f"the page has {dict(more)}"
    raw = {c for c in page.read_text(encoding="utf-8") if c not in "\n\t" and _is_raw(c)}
    if raw:
        yield f"the page has raw {sorted(map(ascii, raw))}"


def check_table(form: str, text: str) -> Iterator[str]:
    """What a printed table has that a program would take for a formula, a command or markup.

    Args:
        form: csv, latex or markdown.
        text: The table.
    """
    if form == "csv":
        for cell in (cell for row in csv.reader(io.StringIO(text)) for cell in row):
            if cell.startswith(FORMULA) and not _is_number(cell):
                yield f"a cell is the formula {cell[:60]!r}"
    elif form == "latex" and (found := COMMANDS.search(text)):
        yield f"the table has the command {found[0]}"
    elif form == "markdown" and (found := MARKUP.search(text)):
        yield f"the table has the markup {found[0]}"


def _is_raw(sign: str) -> bool:
    return unicodedata.category(sign) in RAW


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
