"""The three parts of a set that comes whole, or without some of its parts."""

from collections.abc import Callable, Mapping, Sized
from typing import Generic, NamedTuple, TypeVar

from torch import Tensor

from vae_cli.data.dataset import Images, StoredImages, split_by_seed
from vae_cli.errors import InvalidOption

T = TypeVar("T", bound=Images)
S = TypeVar("S", bound=Images)

PARTS = ("train", "validation", "test")
# What people call the parts, in lower case.
PART_WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
}
PART_OF = {word: part for part, words in PART_WORDS.items() for word in words}


class ThreeParts(NamedTuple, Generic[T]):
    """A set in its parts, and which of them were split from one pool."""

    train: T
    validation: T
    test: T
    pooled: tuple[str, ...]

    def with_each(self, change: Callable[[T], S]) -> "ThreeParts[S]":
        """The same parts, each changed."""
        train, validation, test = map(change, (self.train, self.validation, self.test))
        return ThreeParts(train, validation, test, self.pooled)


def three_parts(given: Mapping[str, T], fractions: Mapping[str, float], seed: int) -> ThreeParts[T]:
    """Training, validation and test part. Only a part of which the fraction is 0 is empty.

    Args:
        given: The images as they come: ``train``, and perhaps ``validation`` and ``test``. What
            is missing is split from ``train``.
        fractions: The share of images that ``validation`` and ``test`` get where they are missing.
        seed: The same seed, the same split.
    """
    whole = given["train"]
    missing = {name: fractions[name] for name in ("validation", "test") if name not in given}
    if not missing:
        return ThreeParts(whole, given["validation"], given["test"], ())
    train, validation, test = (whole.subset(index) for index in _put_aside(whole, missing, seed))
    parts = {"validation": validation, "test": test} | dict(given) | {"train": train}
    pooled = tuple(part for part in PARTS if part == "train" or part in missing)
    return ThreeParts(parts["train"], parts["validation"], parts["test"], pooled)


def last_aside(images: StoredImages, count: int) -> tuple[StoredImages, StoredImages]:
    """All images but the last ``count``, and those."""
    first, last = (
        StoredImages(images.pixels[part], images.labels[part])
        for part in (slice(-count), slice(-count, None))
    )
    return first, last


def _put_aside(images: Sized, fractions: Mapping[str, float], seed: int) -> tuple[Tensor, ...]:
    """Positions of the training, validation and test images; empty for what is not missing."""
    count = len(images)
    sizes = {name: round(count * fraction) for name, fraction in fractions.items()}
    for name, size in sizes.items():
        if size == 0 < fractions[name]:
            rule = f"leaves none of the {count} images to {name}"
            raise InvalidOption(name, fractions[name], rule, _enough(count, fractions))
    if sum(sizes.values()) >= count:
        name = max(sizes, key=sizes.__getitem__)
        rule = f"leaves none of the {count} images to train on"
        raise InvalidOption(name, fractions[name], rule, _enough(count, fractions))
    return split_by_seed(count, sizes.get("validation", 0), sizes.get("test", 0), seed)


def _enough(count: int, fractions: Mapping[str, float]) -> str:
    """Which fractions leave images to all parts, or how many images that takes."""
    parts = [name for name, fraction in fractions.items() if fraction > 0]
    if count <= len(parts):
        return f"It takes at least {len(parts) + 1} images, one for each part."
    share = 0.1 if count >= 10 else round(1 / count, 2)
    return f"Try {' '.join(f'{{{name}}}={share}' for name in parts)}."
