"""The user's own images in an array file."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vae_cli.data.dataset import Dataset, StoredImages
from vae_cli.data.files import is_there
from vae_cli.data.numbers import READERS, read_arrays
from vae_cli.data.opened import user_path
from vae_cli.data.parts import three_parts
from vae_cli.errors import ConfigError, as_written
from vae_cli.options import Fraction, NonNegativeInt, PositiveInt, checked

Array = npt.NDArray[Any]

COLOURS = (1, 3, 4)  # numbers of channels that tell which axis they are
MOST_CLASSES = 10_000_000


@checked
def load(
    path: str | None = None,
    key: str | None = None,
    test_key: str | None = None,
    shape: Sequence[PositiveInt] | None = None,
    seed: NonNegativeInt = 0,
    validation: Fraction = 0.1,
    test: Fraction = 0.1,
) -> Dataset:
    """Images from a ``.npy``, ``.npz`` or ``.mat`` file.

    A file of one array is split by ``seed``. One of several may hold the parts ``train``,
    ``test`` and ``validation``; where there is no ``validation``, it is put aside from train.
    Labels are called ``labels``, or ``train_labels`` and so on.

    Whole numbers from 0 to 255 are grey levels, 256 of them, or 2 if all are 0 or 1. Floats are
    modelled as they are.

    An array is ``(N, H, W)``, ``(N, C, H, W)`` or ``(N, H, W, C)``. Of the latter two it is the
    one that ``shape`` says; else channels are first, unless the last axis is 1, 3 or 4 long and
    the second is not. An array of two axes needs ``shape``; its rows are the images, or, where
    only they are as long as an image, its columns (Matlab's habit).

    Args:
        path: The file.
        key: Name of the array, or of the training part, where the file has several.
        test_key: Name of the test part, where it is not ``test``.
        shape: Shape of one image, ``[C, H, W]``.
        seed: Decides which images are put aside; the same seed, the same parts.
        validation: Fraction of the images put aside for validation.
        test: Fraction of the images put aside for the test.
    """
    if path is None:
        rule = "needs the file of an array"
        raise ConfigError("data.path", None, rule, "Try data.path=my_images.npz.")
    if shape is not None and len(shape) != 3:
        rule = "needs channels, height and width"
        raise ConfigError("data.shape", list(shape), rule, "Try data.shape=[1,28,28].")

    contents = _contents(path)
    names = _names(path, contents, key, test_key)
    values = {
        part: _values(path, name, _channels_first(path, name, contents[name], shape))
        for part, name in names.items()
    }
    shapes = {part: array.shape[1:] for part, array in values.items()}
    if len(set(shapes.values())) > 1:
        raise _wrong(path, f"holds parts of different shapes, {shapes}")
    levels = _levels(path, values.values())

    given = {}
    for part, array in values.items():
        name = "labels" if part == "all" else f"{part}_labels"
        labels = _labels(path, name, contents[name], len(array)) if name in contents else None
        given[part] = StoredImages(torch.from_numpy(array), labels)
    fractions = {"validation": validation, "test": test}
    parts = three_parts(given, fractions, seed, _subset)
    return Dataset(*parts, levels)


def _subset(images: StoredImages, index: Tensor) -> StoredImages:
    return StoredImages(images.pixels[index], images.labels[index])


def _wrong(path: str, rule: str, remedy: str = "") -> ConfigError:
    return ConfigError("data.path", path, rule, remedy)


def _contents(path: str) -> dict[str, Array]:
    """The arrays of a file by name."""
    file = user_path("data.path", path)
    if file.suffix not in READERS:
        raise _wrong(path, f"needs a file that ends in {', '.join(READERS)}")
    if not is_there(file):
        raise _wrong(path, "is not there", f"Paths are relative to {Path.cwd()}.")
    try:
        return read_arrays(file)
    except ValueError as error:
        raise _wrong(path, f"can't be read as {file.suffix} ({error})") from error


def _names(
    path: str, contents: Mapping[str, Array], key: str | None, test_key: str | None
) -> dict[str, str]:
    """Which array is which part: ``all`` alone, or ``train``, ``test``, perhaps ``validation``."""
    if test_key is not None or (key is None and "train" in contents):
        names = {"train": key or "train", "test": test_key or "test"}
        names |= {"validation": "validation"} if "validation" in contents else {}
    elif key is not None:
        names = {"all": key}
    else:
        images = [
            name
            for name, array in contents.items()
            if array.ndim >= 2 and array.dtype.kind != "O" and name != "labels"
        ]
        if len(images) != 1:
            rule = f"needs one array of images, or train and test, but holds {_listed(contents)}"
            raise _wrong(path, rule, "Name the one to take: data.key=NAME.")
        names = {"all": images[0]}
    for name in names.values():
        if name not in contents:
            rule = f"holds no array called {name}, only {_listed(contents)}"
            raise _wrong(path, rule, "Try data.key=NAME, and data.test_key=NAME for the test part.")
    return names


def _listed(contents: Iterable[str]) -> str:
    """Names for a message, the middle left out where they are very long."""
    return as_written(str(sorted(contents)))


def _channels_first(
    path: str, name: str, array: Array, shape: Sequence[int] | None
) -> npt.NDArray[Any]:
    """Images as ``(N, C, H, W)``, by the rule that ``load`` states."""
    if array.ndim not in (2, 3, 4):
        rule = f"holds {name} of shape {array.shape}, where images have 2 to 4 axes"
        raise _wrong(path, rule)
    if array.size == 0:
        raise _wrong(path, f"holds {name} of shape {array.shape}: no image at all")
    if array.ndim == 2:
        if shape is None:
            rule = f"holds {name} of shape {array.shape}, which does not tell an image's shape"
            raise _wrong(path, rule, "Try data.shape=[1,28,28].")
        values = int(np.prod(shape))
        candidates = [
            rows.reshape(-1, *shape) for rows in (array, array.T) if rows.shape[1] == values
        ]
    elif array.ndim == 3:
        candidates = [array[:, None]]
    else:
        last_only = array.shape[3] in COLOURS and array.shape[1] not in COLOURS
        candidates = [array, np.moveaxis(array, 3, 1)][:: -1 if last_only else 1]
    fitting = [c for c in candidates if shape is None or c.shape[1:] == tuple(shape)]
    if not fitting:
        rule = f"is not the shape of an image in {path}, whose {name} is {array.shape}"
        raise ConfigError("data.shape", list(shape or ()), rule)
    return fitting[0]


def _values(path: str, name: str, array: Array) -> Array:
    """Grey levels as uint8, floats as float32."""
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):
            floats = array.astype(np.float32)
        if not np.isfinite(floats).all():
            raise _wrong(path, f"holds {name} with values that are NaN or infinite")
        return floats
    if array.dtype.kind not in "biu":
        raise _wrong(path, f"holds {name} of {array.dtype}", "Images are whole numbers or floats.")
    if array.dtype.kind != "b" and not 0 <= array.min() <= array.max() <= 255:
        rule = f"holds {name} with whole numbers from {array.min()} to {array.max()}"
        raise _wrong(path, rule, "Grey levels are 0 to 255; store other values as floats.")
    return array.astype(np.uint8)


def _levels(path: str, parts: Iterable[Array]) -> int | None:
    """The number of grey levels, which all parts share."""
    kinds = {array.dtype.kind for array in parts}
    if kinds == {"f"}:
        return None
    if len(kinds) > 1:
        raise _wrong(path, "holds whole numbers in one part and floats in another")
    return 2 if all(array.max() <= 1 for array in parts) else 256


def _labels(path: str, name: str, array: Array, count: int) -> Tensor:
    """One whole number an image; Matlab keeps them in a row or column, and as floats."""
    if array.ndim == 0 or array.size != count or max(array.shape) != count:
        raise _wrong(path, f"holds {name} of shape {array.shape} for {count} images")
    are_whole = array.dtype.kind in "biuf"
    if are_whole:
        with np.errstate(all="ignore"):  # NaN, infinity
            are_whole = ((array >= -1) & (array < MOST_CLASSES) & (array % 1 == 0)).all()
    if not are_whole:
        rule = f"holds {name} that are not whole numbers from 0 (or -1, unknown)"
        raise _wrong(path, rule, f"Number the classes; there may be {MOST_CLASSES:,}.")
    return torch.from_numpy(array.ravel().astype(np.int64))
