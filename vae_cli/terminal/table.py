"""A table of text, and how a terminal shows it whole."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as Drawn
from rich.text import Text

from vae_cli.console import folded, print_line, printable

LONGEST = 200  # characters of a setting in a cell
FRAME = 3  # columns of a terminal around each of a table's, and one more at its end
BREAKS = re.compile(r"(?<=[ .])")  # where heads may be folded: optimizer.lr


class Table(NamedTuple):
    """A table of text.

    Attributes:
        title: Over it.
        heads: Of the columns.
        rows: As many cells as heads.
        numbers: Which of the columns hold numbers: these stand to the right.
    """

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Sequence[int] = ()

    @property
    def labels(self) -> list[int]:
        """The columns that identify a row: those without numbers."""
        return [i for i in range(len(self.heads)) if i not in self.numbers]

    def only(self, columns: Sequence[int]) -> "Table":
        """Some of the columns."""
        return Table(
            self.title,
            [self.heads[i] for i in columns],
            [[row[i] for i in columns] for row in self.rows],
            [new for new, old in enumerate(columns) if old in self.numbers],
        )

    def filled(self) -> "Table":
        """The columns that are not empty in all rows."""
        return self.only([i for i in range(len(self.heads)) if any(row[i] for row in self.rows)])


def cell(value: object) -> str:
    """A value in a table, its middle left out if it is very long."""
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}…{text[-LONGEST // 2 :]}"


def print_table(table: Table, console: Console) -> None:
    """Shows a table in a terminal; no cell that labels a row and no number is ever cut.

    One that is too wide goes below itself, its labels repeated. Labels that would take more than
    half of the width are lines below, by the rows' numbers. A table without numbers is prose, and
    folded.
    """
    table = _printable(table)
    if not table.numbers:
        console.print(_drawn(table, [None] * len(table.heads)))
        return
    legend: list[str] = []
    if _total(_widths(table)) > console.width:
        labels = table.only(table.labels)
        if _total(_widths(labels)) > console.width // 2:
            legend = list(_legend(labels, console.width))
            table = _numbered(table)
    for part in _parts(table, console.width):
        whole = [max(w, cell_len(h)) for w, h in zip(_widths(part), part.heads, strict=True)]
        widths = whole if _total(whole) <= console.width else _widths(part)
        console.print(_drawn(part, widths), crop=False)
    for line in legend:
        print_line(console, line)


def _printable(table: Table) -> Table:
    """A table whose texts stay in their cells; a title of ours may have two lines."""
    return table._replace(
        title=printable(table.title, keep="\n"),
        heads=[*map(printable, table.heads)],
        rows=[[*map(printable, row)] for row in table.rows],
    )


def _parts(table: Table, width: int) -> Iterator[Table]:
    """A table's columns of numbers side by side as far as they fit, behind all of its labels."""
    widths, part = _widths(table), table.labels
    for i in table.numbers:
        if len(part) > len(table.labels) and _total([widths[j] for j in [*part, i]]) > width:
            yield table.only(part)
            table, part = table._replace(title=""), table.labels
        part.append(i)
    yield table.only(part)


def _numbered(table: Table) -> Table:
    """The numbers of a table, its rows called 1, 2, …."""
    numbers = table.only(table.numbers)
    rows = [[str(n), *row] for n, row in enumerate(numbers.rows, 1)]
    return Table(table.title, ["", *numbers.heads], rows, range(1, len(numbers.heads) + 1))


def _legend(labels: Table, width: int) -> Iterator[str]:
    """What the rows' numbers stand for: a row's labels, on as many lines as they take."""
    margin = len(str(len(labels.rows))) + 4
    for n, row in enumerate(labels.rows, 1):
        words = [f"{head}={cell}" for head, cell in zip(labels.heads, row, strict=True) if cell]
        for i, line in enumerate(folded(words, width - margin)):
            yield f"{'' if i else n:>{margin - 2}}  {line}"
    yield ""


def _widths(table: Table) -> list[int]:
    """What the columns take, their cells whole and their heads folded."""
    columns = zip(table.heads, *table.rows, strict=True)
    return [max(map(cell_len, chain(_words(head), cells))) for head, *cells in columns]


def _words(head: str) -> list[str]:
    return [part.rstrip() for part in BREAKS.split(head)]


def _head(head: str, width: int) -> str:
    """A head in lines of a width."""
    lines = [""]
    for part in BREAKS.split(head):
        fits = cell_len((lines[-1] + part).rstrip()) <= width
        lines = [*lines[:-1], lines[-1] + part] if fits else [*lines, part]
    return "\n".join(line.rstrip() for line in lines)


def _total(widths: Sequence[int]) -> int:
    return sum(width + FRAME for width in widths) + 1


def _drawn(table: Table, widths: Sequence[int | None]) -> Drawn:
    """A table of rich's; a column of no width is as wide as there is room, and folded."""
    title = Text(table.title, "table.title") if table.title else None
    drawn = Drawn(title=title, box=SIMPLE_HEAD)
    for i, (head, width) in enumerate(zip(table.heads, widths, strict=True)):
        drawn.add_column(
            Text(head if width is None else _head(head, width)), overflow="fold",
            justify="right" if i in table.numbers else "left", min_width=width,
            no_wrap=width is not None,
        )  # fmt: skip
    for row in table.rows:
        drawn.add_row(*map(Text, row))
    return drawn
