"""Which kind of images a set holds, as far as the choice of a model depends on it."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from vae_cli.data.dataset import Dataset, Images, StoredImages
from vae_cli.data.parts import PARTS
from vae_cli.example import example_kind

Word = Literal["binary", "grey", "shaded", "colour", "real"]

LOOKED_AT = 500  # training images, spread over the part; on-demand decoding takes time


class Kind(NamedTuple):
    """A kind of images, and how their values spread.

    Attributes:
        word: ``binary``: 0 and 1 alone. ``grey``: one channel that is mostly black or white, as ink
            on paper. ``shaded``: one channel with more shades than binarization preserves, as a
            photograph. ``colour``: several channels. ``real``: values below 0 or above 1, and
            numbers of vectors that are not grey levels.
        low, high: The smallest and the largest value.
        deviation: Standard deviation of the values.
        is_alike: Whether all images are equal.
    """

    word: Word
    low: float
    high: float
    deviation: float
    is_alike: bool = False


def kind_of(dataset: Dataset) -> Kind:
    r"""Looks at training images.

    Binarization of a grey value g adds noise of variance :math:`g (1 - g)`. Images are shaded where
    its mean is larger than the variance of g over all pixels: the noise then hides the picture.
    """
    values = _values(dataset.train, dataset.levels)
    if dataset.levels is None:  # a single value out of bounds decides
        low, high = range_of(dataset)
    else:
        low, high = values.min().item(), values.max().item()
    deviation = values.std(correction=0).item()
    is_alike = len(values) > 1 and bool((values == values[0]).all())
    return Kind(_word(dataset, values, low, high), low, high, deviation, is_alike)


def range_of(dataset: Dataset, parts: Sequence[str] = PARTS) -> tuple[float, float]:
    """The smallest and the largest of real values in some parts; 0 and 1 of grey levels."""
    images = [dataset.parts[part] for part in parts]
    pixels = [each.pixels for each in images if isinstance(each, StoredImages) and len(each)]
    if dataset.levels is not None or not pixels:
        return 0.0, 1.0
    return min(p.min().item() for p in pixels), max(p.max().item() for p in pixels)


def _word(dataset: Dataset, values: Tensor, low: float, high: float) -> Word:
    if low < 0 or high > 1:
        return "real"
    if dataset.levels == 2 or ((values == 0) | (values == 1)).all():
        return "binary"
    if example_kind(dataset.train.shape) == "image" and dataset.train.shape[0] > 1:
        return "colour"
    if example_kind(dataset.train.shape) != "image" and dataset.levels is None:
        return "real"
    noise = (values * (1 - values)).mean().item()
    return "shaded" if noise > values.var(correction=0).item() else "grey"


def _values(images: Images, levels: int | None) -> Tensor:
    """Grey values of images spread over a part; real values as they are."""
    count = min(len(images), LOOKED_AT)
    pixels = images.take(torch.linspace(0, len(images) - 1, count).long())
    return pixels.float() if levels is None else pixels / (levels - 1)
