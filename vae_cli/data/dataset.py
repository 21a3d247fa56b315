"""Where examples come from, before any treatment of their values."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Size, Tensor

from vae_cli import noise

HASHED = 1000  # images at once
UPPER = np.uint64(0xFFFFFFFF00000000)


class Images(ABC):
    """Some examples of equal shape with their labels: images, vectors or sequences.

    The number of axes of ``shape`` says which (``vae_cli.example``).

    Attributes:
        shape: Shape of one example: ``(C, H, W)``, ``(D,)`` or ``(T, D)``.
        labels: Shape ``(N,)``, int64, -1 where unknown.
        names: One per image: the row in its file, or the path below its folder. Shape ``(N,)``.
        in_memory: Whether ``take`` is a mere gather, cheap enough for the training process.
    """

    shape: Size
    labels: Tensor
    names: npt.NDArray[Any]
    in_memory: bool

    def __len__(self) -> int:
        return len(self.labels)

    @abstractmethod
    def take(self, index: Tensor) -> Tensor:
        """The stored values of some examples: shape ``(B, *shape)``, uint8 or float32."""

    @abstractmethod
    def to(self, device: torch.device) -> "Images":
        """The same images, on a device if they can be there."""

    @abstractmethod
    def subset(self, index: Tensor) -> Self:
        """Some of the images, by their positions, shape ``(M,)``."""

    @abstractmethod
    def joined(self, others: Sequence[Self]) -> Self:
        """These images and then others of their kind."""

    @abstractmethod
    def digests(self) -> npt.NDArray[np.uint64]:
        """One number per image that changes with its contents, shape ``(N,)``."""

    def relabelled(self, labels: Tensor) -> "Images":
        """The same images with other labels, shape ``(N,)``."""
        images = copy(self)
        images.labels = labels
        return images


class StoredImages(Images):
    """Examples held in one tensor.

    Args:
        pixels: Shape ``(N, *shape)``: uint8 grey levels, or float32 as they are.
        labels: Shape ``(N,)``, or None without labels.
        names: Shape ``(N,)``; by default the positions.
    """

    in_memory = True

    def __init__(
        self,
        pixels: Tensor,
        labels: Tensor | None = None,
        names: npt.NDArray[Any] | None = None,
    ) -> None:
        self.pixels = pixels.contiguous()
        self.shape = pixels.shape[1:]
        self.labels = torch.full((len(pixels),), -1) if labels is None else labels.long()
        self.names = np.arange(len(pixels)) if names is None else names

    def take(self, index: Tensor) -> Tensor:
        """See the base class."""
        return self.pixels.index_select(0, index)

    def to(self, device: torch.device) -> "StoredImages":
        """See the base class."""
        return StoredImages(self.pixels.to(device), self.labels.to(device), self.names)

    def subset(self, index: Tensor) -> Self:
        """See the base class."""
        return type(self)(self.pixels[index], self.labels[index], self.names[index.numpy()])

    def joined(self, others: Sequence[Self]) -> Self:
        """See the base class."""
        every = [self, *others]
        return type(self)(
            torch.cat([each.pixels for each in every]),
            torch.cat([each.labels for each in every]),
            np.concatenate([each.names for each in every]),
        )

    def digests(self) -> npt.NDArray[np.uint64]:
        """See the base class: a hash of the pixels.

        Each half is the upper half of a sum of words of 32 bits by random weights of 64 bits,
        modulo 2^64: two images that differ have the same one with probability 2^-32 (Lemire and
        Kaser 2014, arXiv:1202.4961, section 2).
        """
        rows = self.pixels.flatten(1).cpu().numpy()
        size = rows.shape[1] * rows.itemsize
        weights = np.random.default_rng(0).integers(0, 2**64, (2, -(-size // 4) + 1), np.uint64)
        found = np.empty(len(rows), np.uint64)
        for start in range(0, len(rows), HASHED):
            chunk = np.ascontiguousarray(rows[start : start + HASHED]).view(np.uint8)
            words = np.pad(chunk, ((0, 0), (0, -size % 4))).view(np.uint32).astype(np.uint64)
            low, high = ((words * each[1:]).sum(1) + each[0] for each in weights)
            found[start : start + HASHED] = low >> np.uint64(32) | high & UPPER
        return found


@dataclass(frozen=True)
class Dataset:
    """A dataset in its three parts.

    Attributes:
        train, validation, test: Images that none of the other parts has.
        levels: Number of grey levels a pixel takes, 0 to levels - 1: 256 for bytes, 2 for binary
            images; None for values that are not levels (floats), which are modelled as they are.
        classes: What the labels stand for, by number; empty where they are their own names.
        pooled: The parts that this package split from one set; empty for a published split.
        notes: What was inferred, and what was left out: a line each, for the user.
        reading: How the user's own files were read, in a few words each, the kind of numbers
            first; empty for a published set.
    """

    train: Images
    validation: Images
    test: Images
    levels: int | None
    classes: Sequence[str] = ()
    pooled: Sequence[str] = ()
    notes: Sequence[str] = ()
    reading: Sequence[str] = ()

    @property
    def parts(self) -> dict[str, Images]:
        """The three parts by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def with_parts(self, parts: Mapping[str, Images]) -> "Dataset":
        """The same set with other images in its parts."""
        train, validation, test = (parts[name] for name in self.parts)
        return replace(self, train=train, validation=validation, test=test)


def split_by_seed(count: int, validation: int, test: int, seed: int) -> tuple[Tensor, ...]:
    """Positions of the training, validation and test images of a set without a split.

    Args:
        count: Number of images.
        validation, test: How many of them to put aside.
        seed: The same seed, the same split.
    """
    order = torch.randperm(count, generator=noise.generator("cpu", "split", seed, count))
    sizes = [count - validation - test, validation, test]
    return tuple(part.sort().values for part in order.split(sizes))
