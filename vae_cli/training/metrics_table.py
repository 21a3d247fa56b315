"""The table of curves of a run with ``logger=csv``, read."""

import csv
import io
from pathlib import Path

from vae_cli.files import UnsafeFile, read_text

NAME = "metrics.csv"
DIGITS = 15  # of a step, at most
LARGEST = 1 << 25  # bytes; a row takes 100


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table by column, without empty cells.

    Raises:
        UnsafeFile: If it can't be read as one.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(read_text(path, LARGEST), newline="")))
    except csv.Error as error:
        raise UnsafeFile(f"{path.name} is no table ({error})") from error
    # Cells beyond the last column are a list, and have no name.
    return [{k: v for k, v in row.items() if k is not None and v} for row in rows]


def step_of(row: dict[str, str]) -> int | None:
    """The step of a row, None if it does not have a whole number there."""
    text = row.get("step", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS else None
