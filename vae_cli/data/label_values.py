"""Labels as people store them, as numbers of classes with names."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vae_cli.errors import InvalidOption, as_written

Array = npt.NDArray[Any]

UNKNOWN_WORDS = frozenset(("", "unlabeled", "unlabelled", "unknown", "nan", "none", "null"))
EXACT = 2**53  # up to which float64 tells whole numbers apart
SHOWN = 6  # classes of a mapping that a note shows


class Numbered(NamedTuple):
    """The labels of a set.

    Attributes:
        labels: By part, shape ``(N,)``, -1 where unknown.
        classes: Names by number; empty where the labels are 0, 1, 2, ... already.
        notes: What the values are mapped to, and which arrays are not labels.
    """

    labels: dict[str, Tensor]
    classes: list[str]
    notes: list[str]


def number_labels(path: str, parts: Mapping[str, tuple[str, Array, int]]) -> Numbered:
    """Numbers the classes of a set by the values of its labels.

    Whole numbers, text, true and false, one-hot rows and columns of one value are labels. Classes
    are numbered in order of their values, over all parts. -1 beside other classes than 1, NaN and
    empty text mean that the label is unknown.

    Args:
        path: The file as the user calls it.
        parts: By part: the name of the array, the array, and the number of images.

    Raises:
        InvalidOption: If a part has another number of labels than images.
    """
    columns, notes = dict[str, Array](), []
    for part, (name, array, count) in parts.items():
        try:
            columns[part] = _column(path, name, array, count)
        except NoClasses as reason:
            notes.append(f"{name} is not used as labels: {reason}")
    if not columns:
        return Numbered({}, [], notes)
    are_text = any(column.dtype.kind == "U" for column in columns.values())
    if are_text:
        columns = {part: _as_text(column) for part, column in columns.items()}
    values = np.unique(np.concatenate(list(columns.values())))
    values = values[~_is_unknown(values)]
    if are_text and all(value.removeprefix("-").isdecimal() for value in values):
        values = values[np.argsort([int(value) for value in values], kind="stable")]
    labels = {part: _numbers(column, values) for part, column in columns.items()}
    if not are_text and np.array_equal(values, np.arange(len(values))):
        return Numbered(labels, [], notes)
    classes = [value if are_text else f"{value:.16g}" for value in values.tolist()]
    if odd := [name for name in classes if not name.isprintable()]:
        rule = f"holds a label {odd[0]!a}, which is not a name that can be printed"
        raise InvalidOption("path", path, rule, "Rename it.")
    shown = ", ".join(f"{as_written(name)} = {k}" for k, name in enumerate(classes[:SHOWN]))
    more = ", ..." if len(classes) > SHOWN else ""
    which = "one class is" if len(classes) == 1 else f"{len(classes)} classes are"
    notes.append(f"{which} numbered by the value of the label: {shown}{more}")
    return Numbered(labels, classes, notes)


class NoClasses(ValueError):  # noqa: N818  a statement about an array, not a failure
    """Why an array does not hold labels: a clause."""


def _column(path: str, name: str, array: Array, count: int) -> Array:
    """One value per image, float64 or text."""
    if array.dtype.kind == "O":
        raise NoClasses("it holds Python objects; store numbers or text")
    if array.dtype.kind not in "biufSU":
        raise NoClasses(f"its values are {array.dtype}")
    if array.ndim == 2 and len(array) == count and array.shape[1] > 1:
        return _from_one_hot(array)
    if array.ndim == 0 or array.size != count or max(array.shape) != count:
        rule = f"holds {name} of shape {array.shape} for {count} images"
        raise InvalidOption("path", path, rule, "Store one label per image.")
    values = array.ravel()
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8", "backslashreplace")
    if values.dtype.kind == "U":
        return values
    if values.dtype.kind in "iu" and max(-int(values.min()), int(values.max())) > EXACT:
        raise NoClasses("its values are too large to be classes")
    with np.errstate(all="ignore"):
        numbers = values.astype(np.float64)
        is_whole = np.isnan(numbers) | (np.isfinite(numbers) & (numbers % 1 == 0))
    if not is_whole.all():
        raise NoClasses("its values are not whole numbers")
    return numbers


def _from_one_hot(array: Array) -> Array:
    if array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
        raise NoClasses(f"it has {array.shape[1]} values per image")
    if (array.sum(1) > 1).any():
        raise NoClasses("some images have several classes")
    return np.where(array.any(1), array.argmax(1), np.nan).astype(np.float64)


def _as_text(column: Array) -> Array:
    if column.dtype.kind == "U":
        return np.char.strip(column)
    return np.array([f"{value:.16g}" for value in column.tolist()])


def _is_unknown(values: Array) -> Array:
    if values.dtype.kind == "U":
        return np.array([value.lower() in UNKNOWN_WORDS for value in values.tolist()], dtype=bool)
    known = values[~np.isnan(values)]
    is_signed = known.tolist() == [-1, 1]  # two classes, as many write them
    return np.isnan(values) | ((values == -1) & (not is_signed))


def _numbers(column: Array, values: Array) -> Tensor:
    """Positions of a column's entries among the values of the classes; -1 for no class."""
    order = np.argsort(values)
    if not len(values):
        return torch.full((len(column),), -1)
    place = np.searchsorted(values, column, sorter=order).clip(max=len(values) - 1)
    found = order[place]
    return torch.from_numpy(np.where(values[found] == column, found, -1).astype(np.int64))


def match_classes(
    labels: Mapping[str, Tensor], names: Sequence[str], known: Sequence[str]
) -> tuple[dict[str, Tensor], list[str], list[str]]:
    """Renumbers labels so that each class has the number that it has in a run.

    Args:
        labels: By part, shape ``(N,)``, -1 where unknown.
        names: Of the classes by number, here.
        known: Of the classes by number, in the run.

    Returns:
        The labels, -1 for classes that the run does not know; the names of those classes; and the
        names of the run's classes that are missing here.

    Example:
        >>> match_classes({"test": torch.tensor([0, 1])}, ["B", "D"], ["A", "B"])
        ({'test': tensor([ 1, -1])}, ['D'], ['A'])
    """
    numbers = {name: number for number, name in enumerate(known)}
    table = torch.tensor([numbers.get(name, -1) for name in names] + [-1])  # the last: unknown
    unknown = [name for name in names if name not in numbers]
    missing = [name for name in known if name not in set(names)]
    return {part: table[each] for part, each in labels.items()}, unknown, missing
