"""The curves that a run has logged, wherever its logger has put them."""

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vae_cli.run.events import read_events

TABLE = "metrics.csv"


class Curve(NamedTuple):
    """A number over the steps: both of the same length, steps growing, values finite."""

    steps: list[int]
    values: list[float]


def read_curves(folder: Path) -> dict[str, Curve]:
    """All curves of a run by name; none where its logger keeps none.

    Args:
        folder: Of the run.
    """
    points: dict[str, dict[int, float]] = {}
    for name, step, value in (*_of_events(folder), *_of_table(folder / TABLE)):
        if math.isfinite(value):
            points.setdefault(name, {})[step] = value  # a resumed run's later word counts
    return {name: _curve(found) for name, found in points.items()}


def _curve(points: dict[int, float]) -> Curve:
    steps = sorted(points)
    return Curve(steps, [points[step] for step in steps])


def _of_events(folder: Path) -> Iterator[tuple[str, int, float]]:
    events = read_events(folder, "scalars")
    if events is None:
        return
    for name in events.Tags()["scalars"]:
        for event in events.Scalars(name):
            yield name, event.step, event.value


def _of_table(file: Path) -> Iterator[tuple[str, int, float]]:
    if not file.is_file():
        return
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            for name, text in row.items():
                if text and row.get("step") and name not in ("step", "epoch"):
                    yield name, int(row["step"]), float(text)
