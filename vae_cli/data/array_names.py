"""Which arrays of a file are images, and which are labels, by the names that people use."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vae_cli.data.parts import PART_OF
from vae_cli.errors import InvalidOption, as_written

Array = npt.NDArray[Any]

# In lower case. "array" is the one array of a .npy file.
IMAGE_WORDS = frozenset(
    ("images", "image", "imgs", "img", "x", "data", "pixels", "samples", "inputs", "input",
     "features", "array")
)  # fmt: skip
LABEL_WORDS = frozenset(("labels", "label", "y", "targets", "target", "classes", "class"))
POSITIONAL = {"arr_0": "images", "arr_1": "labels"}  # names that numpy gives
ROLE_OF = dict.fromkeys(IMAGE_WORDS, "images") | dict.fromkeys(LABEL_WORDS, "labels")
# Words written together, in both orders: "xtrain" and "trainx".
JOINED = {
    joined: (part, role)
    for part in PART_OF
    for role in ROLE_OF
    for joined in (part + role, role + part)
}


class ChosenArrays(NamedTuple):
    """Names of arrays by part, and of those that are not read."""

    images: dict[str, str]
    labels: dict[str, str]
    ignored: list[str]


class _Name(NamedTuple):
    part: str | None
    role: str | None


def choose_arrays(
    path: str, contents: Mapping[str, Array], key: str | None, test_key: str | None
) -> ChosenArrays:
    """Chooses the arrays of the parts.

    A name is known if all its words are: one of a part (``train``, ``val``, ``test``, ...), one of
    images (``images``, ``x``, ``data``, ...) or of labels (``labels``, ``y``, ``targets``, ...).

    Args:
        path: The file as the user calls it.
        contents: Its arrays.
        key: Name of the training images, or None to infer it.
        test_key: Name of the test images, or None to infer it.

    Raises:
        InvalidOption: If the arrays are not there, or the choice is not clear.
    """
    names = {name: _read_name(name, array) for name, array in contents.items()}
    if key is None and test_key is None:
        images = _known_images(path, contents, names)
    else:
        images = _named_images(path, names, key, test_key)
    labels = _labels_of(images, names)
    used = {*images.values(), *labels.values()}
    return ChosenArrays(images, labels, sorted(set(contents) - used))


def list_arrays(contents: Mapping[str, Array]) -> str:
    """Names for a message; the middle is left out if they are very long."""
    return as_written(str(sorted(contents)))


def _read_name(name: str, array: Array) -> _Name:
    """The part and the role that a name states; no role where a word is unknown."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    part = role = None
    for word in map(str.lower, words):
        for kind in JOINED.get(word, (word,)):
            if kind in PART_OF and part is None:
                part = PART_OF[kind]
            elif kind in ROLE_OF and role is None:
                role = ROLE_OF[kind]
            else:
                return _Name(None, POSITIONAL.get(name) if _suits(name, array) else None)
    if role == "labels" and array.ndim > 2:
        role = None
    return _Name(part, role or ("images" if part else None))


def _suits(name: str, array: Array) -> bool:
    """Whether an unnamed array can be what its position says."""
    return POSITIONAL.get(name) != "labels" or (array.ndim <= 2 and array.shape[1:] in ((), (1,)))


def _can_be_images(array: Array) -> bool:
    return array.ndim >= 2 and array.dtype.kind != "O"


def _known_images(
    path: str, contents: Mapping[str, Array], names: Mapping[str, _Name]
) -> dict[str, str]:
    """The parts by the names of the arrays; the only array that can be images as ``train``."""
    found: dict[str | None, list[str]] = {}
    for name, read in names.items():
        if read.role == "images":
            found.setdefault(read.part, []).append(name)
    if "train" in found:
        found.pop(None, None)
    elif None in found and len(found) == 1:
        found = {"train": found[None]}
    elif not found:
        others = [
            name
            for name, read in names.items()
            if read.role is None and _can_be_images(contents[name])
        ]
        found = {"train": others}
    if found and not {"train", None} & found.keys():
        parts = " and ".join(f"a {part} part" for part in found)
        rule = f"has {parts} and no training images: it holds {list_arrays(contents)}"
        remedy = "Add them as x_train, or name them: {key}=NAME."
        raise InvalidOption("path", path, rule, remedy)
    if "train" not in found or any(len(several) != 1 for several in found.values()):
        rule = f"does not tell which arrays are images: it holds {list_arrays(contents)}"
        remedy = "Name the one to take: {key}=NAME, and {test_key}=NAME for a test part."
        raise InvalidOption("path", path, rule, remedy)
    return {str(part): several[0] for part, several in found.items()}


def _named_images(
    path: str, names: Mapping[str, _Name], key: str | None, test_key: str | None
) -> dict[str, str]:
    """The parts as the user names them."""
    parts = {names[name].part: name for name in names if names[name].role == "images"}
    images = {"train": key or parts.get("train", "train")}
    if test_key is not None:
        images["test"] = test_key
        images |= {"validation": parts["validation"]} if "validation" in parts else {}
    for name in images.values():
        if name not in names:
            rule = f"holds no array called {name}, only {as_written(str(sorted(names)))}"
            remedy = "Try {key}=NAME, and {test_key}=NAME for the test part."
            raise InvalidOption("path", path, rule, remedy)
    return images


def _labels_of(images: Mapping[str, str], names: Mapping[str, _Name]) -> dict[str, str]:
    """The labels of each part: those of the part that the name of its images states."""
    labels: dict[str | None, str] = {}
    for name, read in names.items():
        if read.role == "labels" and name not in images.values():
            labels.setdefault(read.part, name)
    stated = {part: names[name].part for part, name in images.items()}
    found = {
        part: labels[place if place in labels else part]
        for part, place in stated.items()
        if place in labels or part in labels
    }
    if not found and len(images) == len(labels) == 1:
        (found["train"],) = labels.values()
    return found


def describe_shape(array: Array) -> str:
    """Shape and type of an array, for a note."""
    return f"{'x'.join(map(str, np.shape(array)))} {array.dtype}"
