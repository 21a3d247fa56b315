"""The numbers in a run's folder, as anybody may have written them: what can be shown is kept."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from vae_cli.files import read_json

Note = Callable[[str], None]  # takes a clause about a file: "results.json: …"

SPLITS = ("train", "validation", "test")
TEXTS = (  # names of what is text, whatever group they are in; all others are of numbers
    "binarize", "checkpoint", "checkpoint_sha256", "data", "data_path", "device", "images_sha256",
    "monitor", "split",
)  # fmt: skip
TRUTHS = ("dequantize", "fast_dev_run", "freeze", "log_likelihood_is_bound")  # … true or false
EITHER = ("labels",)  # … of what is a number or a word
NESTED = ("settings", "source", "versions", "hidden_dims")  # … kept as they are, never shown
LARGEST = 1e30  # of a number: its square can be added up, too
LONGEST = 500  # characters of a text or a name
MOST = 10_000  # values of a record
NAMED, SHORT = 3, 60  # values that a note names, and characters of each name
MOST_NOTES = 20  # of one run


class Notes:
    """What there is to say of runs: lines, a few of each run.

    Attributes:
        lines: Each begins with the run's folder.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []

    def of(self, path: str) -> Note:
        """What takes notes of one run."""
        count = 0

        def note(text: str) -> None:
            nonlocal count
            count += 1
            if count <= MOST_NOTES:
                self.lines.append(f"{path}: {text}")
            elif count == MOST_NOTES + 1:
                self.lines.append(f"{path}: there is more that can't be read")

        return note


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a finite number; a truth value is not."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= LARGEST  # which NaN is not


def read_results(path: Path, note: Note) -> dict[str, Any]:
    """The values of a ``results.json``; none where there is no such file.

    Args:
        path: Of the file.
        note: Takes what is left out, and why.

    Raises:
        UnsafeFile: If nothing in it can be read.
    """
    return valid_values(read_json(path), path.name, note) if os.path.lexists(path) else {}


def read_evaluations(path: Path, note: Note) -> dict[str, dict[str, Any]]:
    """The values of an ``evaluation.json``, by split; none where there is no such file.

    Raises:
        UnsafeFile: If nothing in it can be read.
    """
    content = read_json(path) if os.path.lexists(path) else {}
    unknown = [name for name in content if name not in SPLITS]
    if unknown:
        note(f"{path.name}: left out {named([*map(_short, unknown)])} (not the name of a split)")
    found = {name: content[name] for name in SPLITS if name in content}
    return {
        name: {**valid_values(record, f"{path.name}, {name}", note), "split": name}
        for name, record in found.items()
    }


def valid_values(record: object, place: str, note: Note) -> dict[str, Any]:
    """The values of a record that are what their names say.

    Numbers are finite, texts short; null stands for a number that does not exist.

    Args:
        record: Plain data, as read.
        place: Where it stands, for the note.
        note: Takes what is left out, and why.
    """
    if not isinstance(record, Mapping):
        note(f"{place}: left out, for it holds no names with values")
        return {}
    kept: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, value in record.items():
        if len(kept) == MOST:
            wrong[name] = f"more than {MOST:,} values"
        elif rule := "a name too long" if len(name) > LONGEST else _fault(name, value):
            wrong[name] = rule
        else:
            kept[name] = value
    if wrong:
        note(f"{place}: left out {named([f'{_short(n)} ({rule})' for n, rule in wrong.items()])}")
    return kept


def _fault(name: str, value: object) -> str:
    """What is wrong with a value; empty if nothing is."""
    kind = name.rpartition("/")[2]
    if value is None or kind in NESTED:
        return ""
    if kind in TRUTHS:
        return "" if isinstance(value, bool) else "not true or false"
    if kind in (*TEXTS, *EITHER) and isinstance(value, str):
        return "" if len(value) <= LONGEST else "a text too long"
    if kind in TEXTS:
        return "not a text"
    return "" if is_number(value) else "not a finite number"


def _short(name: str) -> str:
    return name if len(name) <= SHORT else f"{name[:SHORT]}…"


def named(texts: list[str]) -> str:
    """The first of some texts, and how many others there are."""
    more = [f"{len(texts) - NAMED} more"] if len(texts) > NAMED else []
    return ", ".join([*texts[:NAMED], *more])
