"""The three parts of a set that comes whole, or without a validation part."""

from collections.abc import Callable, Mapping, Sized
from typing import TypeVar

from torch import Tensor

from vae_cli.data.dataset import StoredImages, split_by_seed
from vae_cli.errors import ConfigError

S = TypeVar("S", bound=Sized)


def three_parts(
    given: Mapping[str, S],
    fractions: Mapping[str, float],
    seed: int,
    subset: Callable[[S, Tensor], S],
) -> tuple[S, S, S]:
    """Training, validation and test part, none of them empty.

    Args:
        given: The images as they came: ``all`` alone, or ``train``, ``test`` and perhaps
            ``validation``.
        fractions: What fraction of the images ``validation`` and ``test`` receive where they
            have to be put aside.
        seed: The same seed, the same split.
        subset: Takes some images by their positions.
    """
    if "all" in given:
        whole = given["all"]
        train, validation, test = _put_aside(whole, fractions, seed)
        return subset(whole, train), subset(whole, validation), subset(whole, test)
    if "validation" in given:
        return given["train"], given["validation"], given["test"]
    whole = given["train"]
    train, validation, _ = _put_aside(whole, {"validation": fractions["validation"]}, seed)
    return subset(whole, train), subset(whole, validation), given["test"]


def last_aside(images: StoredImages, count: int) -> tuple[StoredImages, StoredImages]:
    """All images but the last ``count``, and those."""
    first, last = (
        StoredImages(images.pixels[part], images.labels[part])
        for part in (slice(-count), slice(-count, None))
    )
    return first, last


def _put_aside(images: Sized, fractions: Mapping[str, float], seed: int) -> tuple[Tensor, ...]:
    """Positions of the training, validation and test images; the last empty if not asked for."""
    count = len(images)
    sizes = {name: round(count * fraction) for name, fraction in fractions.items()}
    for name, size in sizes.items():
        if size == 0:
            rule = f"leaves none of the {count} images to {name}"
            remedy = f"Try data.{name}=0.1, with at least 10 images."
            raise ConfigError(f"data.{name}", fractions[name], rule, remedy)
    if sum(sizes.values()) >= count:
        name = max(sizes, key=sizes.__getitem__)
        rule = f"leaves none of the {count} images to train on"
        raise ConfigError(f"data.{name}", fractions[name], rule, f"Try data.{name}=0.1.")
    return split_by_seed(count, sizes["validation"], sizes.get("test", 0), seed)
