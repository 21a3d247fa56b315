"""A table of numbers, rounded for a reader and unrounded for a program."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vae_cli.report.estimate import RUNS, Difference, Estimate
from vae_cli.terminal.quantity import with_error
from vae_cli.terminal.table import Table


class Runs(NamedTuple):
    """The runs of a row.

    Attributes:
        name: One short name for all of them.
        paths: Their folders, as the user named them.
    """

    name: str
    paths: Sequence[str]


Cell = str | int | Estimate | Difference | Runs | None


class Column(NamedTuple):
    """A column of a sheet.

    Attributes:
        head: Over it.
        digits: Of its numbers, behind the point, for a reader.
        is_number: Whether it stands to the right.
    """

    head: str
    digits: int = 2
    is_number: bool = False


class Sheet(NamedTuple):
    """A table of numbers.

    Attributes:
        title: Over it.
        notes: Lines below the title.
        columns: In order.
        rows: As many cells as columns.
    """

    title: str
    notes: Sequence[str]
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]

    def shown(self) -> Table:
        """The table for a reader, without empty columns; ± says what it is over.

        Once in the notes where it is the same in all cells, else in each cell.
        """
        kinds = [*dict.fromkeys(c.over for r in self.rows for c in r if isinstance(c, Estimate))]
        kinds = [kind for kind in kinds if kind]
        notes = [*self.notes, *([f"± standard error over {kinds[0]}"] if len(kinds) == 1 else [])]
        rows = [
            [_text(cell, column.digits, len(kinds) > 1) for column, cell in self._paired(row)]
            for row in self.rows
        ]
        numbers = [i for i, column in enumerate(self.columns) if column.is_number]
        heads = [column.head for column in self.columns]
        return Table("\n".join([self.title, *notes]), heads, rows, numbers).filled()

    def exported(self) -> list[dict[str, str]]:
        """The rows for a program: unrounded numbers, one in each column."""
        return [
            {
                name: value
                for column, cell in self._paired(row)
                for name, value in _parts(column.head, cell).items()
            }
            for row in self.rows
        ]

    def _paired(self, row: Sequence[Cell]) -> Iterator[tuple[Column, Cell]]:
        return zip(self.columns, row, strict=True)


def _text(cell: Cell, digits: int, has_kinds: bool) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Estimate):
        is_count = not cell.error and cell.value.is_integer()
        text = cell.bound + with_error(cell.value, cell.error, 0 if is_count else digits)
        kind = cell.over if cell.over != RUNS else f"{cell.runs} {RUNS}"
        return f"{text} ({kind})" if has_kinds and " ± " in text else text
    if isinstance(cell, Difference):
        value, low, high = (f"{number:+.{digits}f}" for number in cell[:3])
        return f"{value} ({low} … {high})"
    return cell.name if isinstance(cell, Runs) else str(cell)


def _parts(head: str, cell: Cell) -> dict[str, str]:
    """The columns of a cell, by head."""
    if isinstance(cell, Estimate):
        return {
            head: repr(cell.value),
            f"{head} bound": cell.bound.strip(),
            f"{head} error": "" if cell.error is None else repr(cell.error),
            f"{head} error over": cell.over,
            f"{head} runs": str(cell.runs),
        }
    if isinstance(cell, Difference):
        names = (head, f"{head} low", f"{head} high", f"{head} interval over")
        texts = (*map(repr, cell[:3]), cell.covers)
        return dict(zip(names, texts, strict=True))
    if isinstance(cell, Runs):
        return {head: ",".join(cell.paths)}
    return {head: "" if cell is None else str(cell)}
