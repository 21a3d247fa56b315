"""A resumed run adds to its table: no row is repeated or lost."""

import csv
from pathlib import Path

from vae_cli.training.csv_logger import CurveTable

Rows = list[tuple[int, dict[str, float]]]


def written(folder: Path, *legs: Rows) -> set[tuple[str, str, str]]:
    """What the table holds after legs that each log rows of (step, numbers)."""
    for leg in legs:
        table = CurveTable(str(folder))
        for step, numbers in leg:
            table.log_metrics(numbers, step)
        table.save()
    with (folder / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    cells = [(r["step"], k, v) for r in rows for k, v in r.items() if v != "" and k != "step"]
    assert len(cells) == len(set(cells))
    return set(cells)


def test_steps_that_are_taken_again_replace_their_rows(tmp_path: Path) -> None:
    first: Rows = [(1, {"train": 0.1}), (2, {"train": 0.2}), (3, {"train": 0.3})]
    again: Rows = [(2, {"train": 2.0}), (3, {"train": 3.0})]
    assert written(tmp_path, first, again) == {
        ("1", "train", "0.1"), ("2", "train", "2.0"), ("3", "train", "3.0"),
    }  # fmt: skip


def test_stopped_before_the_validation_of_a_step(tmp_path: Path) -> None:
    """The step's training row does not come again; its validation does."""
    first: Rows = [(1, {"train": 0.1}), (2, {"train": 0.2})]
    again: Rows = [(2, {"validation": 9.0}), (3, {"train": 0.3})]
    assert written(tmp_path, first, again) == {
        ("1", "train", "0.1"), ("2", "train", "0.2"), ("2", "validation", "9.0"),
        ("3", "train", "0.3"),
    }  # fmt: skip


def test_killed_after_the_validation_of_a_step(tmp_path: Path) -> None:
    """Both its rows come again."""
    first: Rows = [(1, {"train": 0.1}), (2, {"train": 0.2}), (2, {"validation": 8.0})]
    again: Rows = [(2, {"train": 0.2}), (2, {"validation": 9.0})]
    assert written(tmp_path, first, again) == {
        ("1", "train", "0.1"), ("2", "train", "0.2"), ("2", "validation", "9.0"),
    }  # fmt: skip
