"""What a run remembers of its data: every image of every part, by a digest.

A split is a function of the seed and of the number of images. If images are added to a file or
removed from it, the same seed gives another split, with training images in the test part. The
record of a run tells which images were where.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vae_cli.data.dataset import Dataset
from vae_cli.data.label_values import match_classes
from vae_cli.data.labels import class_count
from vae_cli.data.parts import PARTS

Digests = npt.NDArray[np.uint64]

MOST_CLASSES = 100_000  # beside as many as there are images


@dataclass(frozen=True)
class Record:
    """The data of a run. Every array of a part has one entry per image, in order.

    Attributes:
        digests: Of the images, by part.
        names: Digests of their names, by part.
        labels: By part, -1 where unknown.
        trained: Digests of all images that were ever in the training part.
        classes: Names by number; empty where the numbers are the names.
    """

    digests: Mapping[str, Digests]
    names: Mapping[str, Digests]
    labels: Mapping[str, npt.NDArray[np.int64]]
    trained: Digests
    classes: Sequence[str]

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The record as arrays by name, for a file."""
        arrays: dict[str, npt.NDArray[Any]] = {
            "classes": np.array(self.classes, dtype=str),
            "trained": self.trained,
        }
        for part in PARTS:
            arrays[f"{part}_digests"] = self.digests[part]
            arrays[f"{part}_names"] = self.names[part]
            arrays[f"{part}_labels"] = self.labels[part]
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> "Record":
        """The record that ``to_arrays`` gave.

        Raises:
            ValueError: If the arrays are not those of a record.
        """
        columns = {"digests": np.uint64, "names": np.uint64, "labels": np.int64}
        wanted = {f"{part}_{name}": kind for part in PARTS for name, kind in columns.items()}
        wanted |= {"trained": np.uint64}
        is_whole = arrays.keys() == {*wanted, "classes"} and all(
            arrays[name].dtype == kind and arrays[name].ndim == 1 for name, kind in wanted.items()
        )
        is_whole = is_whole and arrays["classes"].ndim == 1 and arrays["classes"].dtype.kind in "U"
        if not is_whole or any(
            len({arrays[f"{part}_{name}"].shape for name in columns}) > 1 for part in PARTS
        ):
            raise ValueError("it does not hold digests, names and labels of three parts")
        digests, names, labels = (
            {part: arrays[f"{part}_{name}"] for part in PARTS} for name in columns
        )
        labels_there = np.concatenate([*labels.values(), [-1]])
        most = max(len(labels_there), MOST_CLASSES)  # a class has an image, or had one
        if (
            len(arrays["classes"]) > most
            or not -1 <= labels_there.min() <= labels_there.max() < most
        ):
            raise ValueError("it has labels that no set of so many images has")
        classes = [str(name) for name in arrays["classes"]]
        return cls(digests, names, labels, arrays["trained"], classes)


class DataChanges(NamedTuple):
    """How the images of a set differ from those of a run: how many images of each kind.

    Attributes:
        changed: They have the name of an image of the run that is gone.
        added: Others that the run does not know.
        removed: They are not there.
        relabelled: They have another label.
    """

    changed: int = 0
    added: int = 0
    removed: int = 0
    relabelled: int = 0

    def __bool__(self) -> bool:
        return any(self)

    def __str__(self) -> str:
        kinds = ("changed", "added", "removed", "labelled otherwise")
        found = [(count, kind) for count, kind in zip(self, kinds, strict=True) if count]
        return ", ".join(
            f"{count} image{'s were' if count > 1 else ' was'} {kind}" for count, kind in found
        )

    def plus(self, other: "DataChanges") -> "DataChanges":
        """Both together."""
        return DataChanges(*(a + b for a, b in zip(self, other, strict=True)))


def record_of(dataset: Dataset, before: Record | None = None) -> Record:
    """The record of a set as it is.

    Args:
        dataset: With the run's classes, in the run's parts.
        before: The record of the run until now.
    """
    parts = dataset.parts
    digests = {part: images.digests() for part, images in parts.items()}
    trained = [digests["train"]] if before is None else [before.trained, digests["train"]]
    return Record(
        digests,
        {
            part: hash_names(images.names, name_place(dataset, part))
            for part, images in parts.items()
        },
        {part: images.labels.cpu().numpy() for part, images in parts.items()},
        np.unique(np.concatenate(trained)),
        list(dataset.classes),
    )


def with_known_classes(dataset: Dataset, record: Record) -> Dataset:
    """The same images with the classes of a run: matched by name, and noted if they differ.

    Of a run without labels nothing changes.
    """
    most = max((int(labels.max(initial=-1)) for labels in record.labels.values()), default=-1)
    known = list(record.classes) or _numbers(1 + most)
    names = list(dataset.classes) or _numbers(class_count(dataset))
    if names == known or not known:
        return dataset
    if not names:
        note = "these images have no labels"
        return replace(dataset, classes=record.classes, notes=[*dataset.notes, note])
    labels = {part: images.labels for part, images in dataset.parts.items()}
    labels, unknown, missing = match_classes(labels, names, known)
    parts = {part: images.relabelled(labels[part]) for part, images in dataset.parts.items()}
    notes = {
        "classes that the run does not know count as unlabelled": unknown,
        "classes of the run that are missing here": missing,
    }
    new = ["classes get the numbers that they have in the run"]
    new += [f"{what}: {_few(which)}" for what, which in notes.items() if which]
    matched = replace(dataset, classes=record.classes, notes=[*dataset.notes, *new])
    return matched.with_parts(parts)


def name_place(dataset: Dataset, part: str) -> str:
    """Where names are those of one image each: in a part, or in all that were split."""
    return "" if part in dataset.pooled else part


def hash_names(names: npt.NDArray[Any], place: str) -> Digests:
    """Digests of the names of images.

    Args:
        names: Shape ``(N,)``.
        place: See ``name_place``.
    """
    texts = (f"{place}/{name}".encode("utf-8", "surrogateescape") for name in names.tolist())
    digests = [hashlib.blake2b(text, digest_size=8).digest() for text in texts]
    return np.frombuffer(b"".join(digests), np.uint64)


def _numbers(count: int) -> list[str]:
    """Names of classes that have none."""
    return [str(number) for number in range(count)]


def _few(names: Sequence[str], most: int = 10) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
