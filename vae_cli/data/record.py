"""What a run remembers of its data: every image of every part, by a digest.

A split is a function of the seed and of the number of images. If images are added to a file or
removed from it, the same seed gives another split, with training images in the test part. The
record of a run tells which images were where.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from vae_cli.data.dataset import Dataset, Images
from vae_cli.data.label_values import match_classes
from vae_cli.data.labels import class_count
from vae_cli.data.parts import PARTS

Digests = npt.NDArray[np.uint64]


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
        classes = [str(name) for name in arrays["classes"]]
        return cls(digests, names, labels, arrays["trained"], classes)


class Difference(NamedTuple):
    """How the images of a set differ from those of a run: how many images of each kind.

    Attributes:
        added: The run does not know them.
        removed: They are not there.
        relabelled: They have another label.
        leaked: Of those added to another part, the run was trained on them.
    """

    added: int = 0
    removed: int = 0
    relabelled: int = 0
    leaked: int = 0

    def __bool__(self) -> bool:
        return any(self)

    def __str__(self) -> str:
        counts = {
            "added or changed": self.added,
            "removed or changed": self.removed,
            "labelled otherwise": self.relabelled,
            "trained on and now in another part": self.leaked,
        }
        told = [(count, what) for what, count in counts.items() if count]
        return ", ".join(
            f"{count} image{'s were' if count > 1 else ' was'} {what}" for count, what in told
        )

    def plus(self, other: "Difference") -> "Difference":
        """Both together."""
        return Difference(*(a + b for a, b in zip(self, other, strict=True)))


def record_of(dataset: Dataset, before: Record | None = None) -> Record:
    """The record of a set as it is.

    Args:
        dataset: With the run's classes, in the run's parts.
        before: The record of the run until now.
    """
    digests = {part: images.digests() for part, images in dataset.parts.items()}
    trained = [digests["train"]] if before is None else [before.trained, digests["train"]]
    return Record(
        digests,
        {part: _hashed(images.names) for part, images in dataset.parts.items()},
        {part: images.labels.cpu().numpy() for part, images in dataset.parts.items()},
        np.unique(np.concatenate(trained)),
        list(dataset.classes),
    )


def with_known_classes(dataset: Dataset, record: Record) -> Dataset:
    """The same images with the classes of a run: matched by name, and noted if they differ.

    Of a run without labels nothing changes.

    Args:
        dataset: The images.
        record: Of the run.
    """
    most = max((int(labels.max(initial=-1)) for labels in record.labels.values()), default=-1)
    known = list(record.classes) or _numbers(1 + most)
    names = list(dataset.classes) or _numbers(class_count(dataset))
    if names == known or not known:
        return dataset
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


def arrange(dataset: Dataset, record: Record) -> tuple[Dataset, Difference]:
    """Puts each image that a run knows into the part where the run has it.

    Within the parts that this package splits, images move. A new one goes where the run had an
    image of its name that is gone, else to the training part if an equal image was trained on,
    else where the seed puts it. Parts that come as they are stay.

    Args:
        dataset: With the run's classes.
        record: Of the run.

    Returns:
        The set, and how it differs from the run's. No difference means the same images in the
        same order.
    """
    parts, difference = dict(dataset.parts), Difference()
    groups = [[part] for part in PARTS if part not in dataset.pooled]
    groups += [list(dataset.pooled)] if dataset.pooled else []
    for group in groups:
        arranged, found = _arrange_group([parts[part] for part in group], group, record)
        parts |= dict(zip(group, arranged, strict=True))
        difference = difference.plus(found)
    return dataset.with_parts(parts), difference


def _arrange_group(
    images: Sequence[Images], group: Sequence[str], record: Record
) -> tuple[list[Images], Difference]:
    """The images of some parts, which may move between these."""
    first, *others = images
    pool = first.joined(others) if others else first
    digests, labels = pool.digests(), pool.labels.cpu().numpy()
    known, known_labels, known_names = (
        np.concatenate([column[part] for part in group])
        for column in (record.digests, record.labels, record.names)
    )
    places = np.repeat(np.arange(len(group)), [len(record.digests[part]) for part in group])
    order = np.arange(len(pool)) if np.array_equal(digests, known) else _find(known, digests)
    is_there = order >= 0
    new = np.setdiff1d(np.arange(len(pool)), order[is_there])

    by_seed = np.repeat(np.arange(len(group)), [len(each) for each in images])[new]
    by_name = dict(zip(known_names[~is_there].tolist(), places[~is_there].tolist(), strict=True))
    was_trained = np.isin(digests[new], record.trained)
    now = np.where(was_trained & ("train" in group), 0, by_seed)  # training is a group's first
    names = _hashed(pool.names[new]).tolist()
    now = np.array([by_name.get(name, place) for name, place in zip(names, now, strict=True)], int)

    arranged = [
        pool.subset(
            torch.from_numpy(np.concatenate([order[is_there & (places == k)], new[now == k]]))
        )
        for k in range(len(group))
    ]
    return arranged, Difference(
        added=len(new),
        removed=int((~is_there).sum()),
        relabelled=int((labels[order[is_there]] != known_labels[is_there]).sum()),
        leaked=0 if "train" in group else int(was_trained.sum()),
    )


def pool_of(dataset: Dataset, part: str) -> Images:
    """A part that a set has of its own; else all images that came unsplit, in their order."""
    if part not in dataset.pooled:
        return dataset.parts[part]
    first, *others = (dataset.parts[name] for name in dataset.pooled)
    whole = first.joined(others)
    return whole.subset(torch.from_numpy(np.argsort(whole.names, kind="stable")))


def _hashed(names: npt.NDArray[Any]) -> Digests:
    texts = (str(name).encode("utf-8", "surrogateescape") for name in names.tolist())
    digests = [hashlib.blake2b(text, digest_size=8).digest() for text in texts]
    return np.frombuffer(b"".join(digests), np.uint64)


def _find(known: Digests, digests: Digests) -> npt.NDArray[np.int64]:
    """Where each known image is now, -1 where nowhere; each place is given once."""
    places = defaultdict[int, list[int]](list)
    for place in range(len(digests) - 1, -1, -1):
        places[int(digests[place])].append(place)
    return np.array([places[d].pop() if places[d] else -1 for d in known.tolist()], np.int64)


def _numbers(count: int) -> list[str]:
    """Names of classes that have none."""
    return [str(number) for number in range(count)]


def _few(names: Sequence[str], most: int = 10) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
