"""The curves that a run has logged, wherever its logger has put them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vae_cli.files import UnsafeFile
from vae_cli.run.events import scalars
from vae_cli.run.recorded import Note, is_number
from vae_cli.training.metrics_table import NAME, read_rows, step_of


class Curve(NamedTuple):
    """A number over the steps: both of the same length, steps growing, values finite."""

    steps: list[int]
    values: list[float]


def read_curves(folder: Path, note: Note) -> dict[str, Curve]:
    """All curves of a run by name; none where its logger keeps none.

    Args:
        folder: Of the run.
        note: Takes what can't be read, and why.
    """
    points: dict[str, dict[int, float]] = {}
    for name, step, value in (*scalars(folder, note), *_of_table(folder / NAME, note)):
        points.setdefault(name, {})[step] = value  # a resumed run's later word counts
    return {name: _curve(found) for name, found in points.items()}


def _curve(points: dict[int, float]) -> Curve:
    steps = sorted(points)
    return Curve(steps, [points[step] for step in steps])


def _of_table(file: Path, note: Note) -> Iterator[tuple[str, int, float]]:
    try:
        rows = read_rows(file) if os.path.lexists(file) else []
    except UnsafeFile as error:
        note(f"{error}: left out")
        return
    wrong = 0
    for row in rows:
        step = step_of(row)
        if step is None:
            wrong += 1
            continue
        for name, text in row.items():
            if name not in ("step", "epoch"):
                try:
                    value = float(text)
                except ValueError:
                    wrong += 1
                    continue
                if is_number(value):  # a loss may be NaN for a while
                    yield name, step, value
    if wrong:
        note(f"{file.name}: left out what is not a number ({wrong} cell{'s' * (wrong > 1)})")
