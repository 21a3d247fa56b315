"""The user's own images or vectors in an array file."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from vae_cli.data.array_hints import hints, label_hint
from vae_cli.data.array_names import ChosenArrays, choose_arrays, describe_shape
from vae_cli.data.conversion import conversion
from vae_cli.data.dataset import Dataset, StoredImages
from vae_cli.data.files import is_there
from vae_cli.data.label_values import number_labels
from vae_cli.data.layout import Layout, in_words, infer_layout, to_channels_first
from vae_cli.data.numbers import READERS, read_arrays
from vae_cli.data.opened import user_path
from vae_cli.data.parts import PARTS, three_parts
from vae_cli.errors import InvalidOption, as_written
from vae_cli.options import Fraction, NonNegativeInt, PositiveFloat, PositiveInt, checked

Array = npt.NDArray[Any]

WHITE = 65535  # of 16 bits


@checked
def load(
    path: str | None = None,
    key: str | None = None,
    test_key: str | None = None,
    shape: Sequence[PositiveInt] | None = None,
    layout: Literal["NHW", "HWN", "NCHW", "NHWC", "HWCN"] | None = None,
    scale: PositiveFloat | None = None,
    seed: NonNegativeInt = 0,
    validation: Fraction = 0.1,
    test: Fraction = 0.1,
) -> Dataset:
    """Images or vectors from a ``.npy``, ``.npz`` or ``.mat`` file.

    The file holds one array of examples, or one for each of the parts ``train``, ``validation`` and
    ``test``. Parts that are missing are split from ``train`` by ``seed``. The usual names of
    arrays are known (``vae_cli.data.array_names``), and the usual forms of labels
    (``vae_cli.data.label_values``).

    Whole numbers from 0 to 255 are grey levels, 256 of them, or 2 if all are 0 or 1. Floats are
    modelled as they are.

    The rows of an array of two axes are vectors, or, with ``shape``, images. Where only the columns
    are as long as an example, or as many as the labels, they are taken (Matlab's habit). An array
    of more axes holds images, and the layout is inferred (``vae_cli.data.layout``).

    Args:
        path: The file.
        key: Name of the array, or of the training part; None infers it.
        test_key: Name of the test part; None infers it.
        shape: Shape of one example, ``[C, H, W]`` for an image or ``[D]`` for a vector.
        layout: Which axis is which; None infers it.
        scale: Values are divided by it: 255 brings grey levels from 0 to 255 to 0 to 1.
        seed: Decides which images are put aside; the same seed, the same parts.
        validation: Fraction of the images put aside for validation.
        test: Fraction of the images put aside for the test.
    """
    if path is None:
        rule = "needs the file of an array"
        raise InvalidOption("path", None, rule, "Try {path}=my_images.npz.")
    if shape is not None and len(shape) not in (1, 3):
        rule = "needs channels, height and width, or the length of a vector"
        raise InvalidOption("shape", list(shape), rule, "Try {shape}=[1,28,28].")

    contents = _contents(path)
    chosen = choose_arrays(path, contents, key, test_key)
    notes, values = [], {}
    for part in (part for part in PARTS if part in chosen.images):
        name = chosen.images[part]
        _check_kind(path, name, contents[name])
        labels = contents.get(chosen.labels.get(part, ""))
        count = len(labels) if labels is not None and labels.ndim else None
        images, layout = _channels_first(path, name, contents[name], shape, layout, count)
        values[part] = _values(path, name, images, scale)
        read_as = ", read as vectors" if images.ndim == 2 else ""
        if layout:
            sizes = dict(zip("NCHW", images.shape, strict=True))
            read_as = f", read as {layout}: {in_words(sizes)}"
        which = "images" if len(chosen.images) == 1 else f"{part} images"
        notes.append(f"{which}: {name} ({describe_shape(contents[name])}){read_as}")
    shapes = {part: array.shape[1:] for part, array in values.items()}
    if len(set(shapes.values())) > 1:
        raise _wrong(path, f"holds parts of different shapes, {shapes}")
    levels = _levels(path, values.values())
    numbered = number_labels(
        path, {p: (n, contents[n], len(values[p])) for p, n in chosen.labels.items()}
    )
    given = {
        part: StoredImages(torch.from_numpy(array), numbered.labels.get(part))
        for part, array in values.items()
    }
    parts = three_parts(given, {"validation": validation, "test": test}, seed)
    notes = _summary(chosen, numbered.labels, notes)
    notes += [*numbered.notes, *hints([*values.values()], levels)]
    if values["train"].ndim == 2:
        notes += label_hint(values["train"])
    return Dataset(
        parts.train, parts.validation, parts.test, levels, numbered.classes, parts.pooled,
        notes, _how_read(levels, scale),
    )  # fmt: skip


def _wrong(path: str, rule: str, remedy: str = "") -> InvalidOption:
    return InvalidOption("path", path, rule, remedy)


def _contents(path: str) -> dict[str, Array]:
    """The arrays of a file by name."""
    file = user_path("path", path)
    if file.suffix not in READERS:
        rule = f"needs a file that ends in {', '.join(READERS)}"
        raise _wrong(path, rule, conversion(file))
    if not is_there(file):
        raise _wrong(path, "is not there", f"Paths are relative to {Path.cwd()}.")
    try:
        arrays = read_arrays(file)
    except ValueError as error:
        raise _wrong(path, f"can't be read as {file.suffix} ({error})") from error
    if not arrays:
        raise _wrong(path, "is empty: it holds no array", "Store images as x, labels as y.")
    return arrays


def _check_kind(path: str, name: str, array: Array) -> None:
    if array.dtype.kind not in "biuf":
        raise _wrong(path, f"holds {name} of {array.dtype}", "Images are whole numbers or floats.")
    if array.ndim not in (2, 3, 4):
        rule = f"holds {name} of shape {array.shape}, where images have 2 to 4 axes"
        raise _wrong(path, rule)
    if array.size == 0:
        raise _wrong(path, f"holds {name} of shape {array.shape}: no image at all")


def _channels_first(
    path: str,
    name: str,
    array: Array,
    shape: Sequence[int] | None,
    layout: Layout | None,
    labels: int | None,
) -> tuple[Array, Layout | None]:
    """Examples as ``(N, *shape)``, and the layout of arrays that have one."""
    if array.ndim == 2:
        return _from_rows(path, name, array, shape, labels), None
    if layout is None:
        layout = infer_layout(path, name, array, shape, labels)
    elif len(layout) != array.ndim:
        rule = f"names {len(layout)} axes, and {name} has {array.ndim}"
        raise InvalidOption("layout", layout, rule, "Leave it out.")
    images = to_channels_first(array, layout)
    if shape is not None and images.shape[1:] != tuple(shape):
        rule = f"is not the shape of an image in {path}, whose {name} is {array.shape}"
        raise InvalidOption("shape", list(shape), rule, "Leave it out.")
    return images, layout


def _from_rows(
    path: str, name: str, array: Array, shape: Sequence[int] | None, labels: int | None
) -> Array:
    """Examples from an array of two axes, where a row or a column is one."""
    if shape is None:
        count, length = array.shape
        return array.T if labels == length != count else array
    for rows in (array, array.T):
        if rows.shape[1] == int(np.prod(shape)):
            return rows.reshape(-1, *shape)
    rule = f"is not the shape of an image in {path}, whose {name} is {array.shape}"
    hint = label_hint(array, int(np.prod(shape)))
    remedy = f"Perhaps {hint[0]}." if hint else "Leave it out for vectors."
    raise InvalidOption("shape", list(shape), rule, remedy)


def _values(path: str, name: str, array: Array, scale: float | None) -> Array:
    """Grey levels as uint8, floats as float32."""
    if array.dtype.kind == "f" or scale is not None:
        with np.errstate(over="ignore"):
            floats = (array / (scale or 1.0)).astype(np.float32)
        if not np.isfinite(floats).all():
            raise _wrong(path, f"holds {name} with values that are NaN or infinite")
        return floats
    if array.dtype.kind != "b" and not 0 <= array.min() <= array.max() <= 255:
        low, high = array.min(), array.max()
        rule = f"holds {name} with whole numbers from {low} to {high}, not 0 to 255"
        scale = WHITE if array.dtype == np.uint16 else high
        remedy = (
            f"Try {{scale}}={scale}." if low >= 0 else "Try {scale}=1, with a Gaussian likelihood."
        )
        raise _wrong(path, rule, remedy)
    return array.astype(np.uint8)


def _levels(path: str, parts: Iterable[Array]) -> int | None:
    """The number of grey levels, which all parts share."""
    kinds = {array.dtype.kind for array in parts}
    if kinds == {"f"}:
        return None
    if len(kinds) > 1:
        raise _wrong(path, "holds whole numbers in one part and floats in another")
    return 2 if all(array.max() <= 1 for array in parts) else 256


def _how_read(levels: int | None, scale: float | None) -> list[str]:
    divided = [f"divided by {scale:g}"] if scale is not None else []
    return ["real numbers" if levels is None else "whole numbers", *divided]


def _summary(chosen: ChosenArrays, labelled: Iterable[str], notes: Sequence[str]) -> list[str]:
    """Which arrays are used, and which are not."""
    used = [chosen.labels[part] for part in labelled]
    labels = [f"labels: {', '.join(used)}"] if used else []
    ignored = [f"not used: {as_written(', '.join(chosen.ignored))}"] if chosen.ignored else []
    return ["; ".join([*notes, *labels, *ignored])]
