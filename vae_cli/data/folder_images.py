"""The images of a folder, decoded when they are needed or once for all."""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Size, Tensor

from vae_cli.data.dataset import Images, StoredImages
from vae_cli.data.opened import open_data
from vae_cli.data.picture import Look, Picture, decode

HASHED = 4096  # bytes at either end of a file, which tell images apart


class FolderImages(Images):
    """Images that are decoded whenever they are taken.

    Args:
        root: The folder as the user calls it.
        folder: The folder.
        pictures: The files, or their pages.
        labels: Shape ``(N,)``, -1 where unknown.
        shape: Shape that every image is brought to, ``(C, H, W)`` with one channel or three.
        look: How each picture is brought to that shape.
    """

    in_memory = False

    def __init__(
        self,
        root: str,
        folder: Path,
        pictures: Sequence[Picture],
        labels: Tensor,
        shape: Size,
        look: Look,
    ) -> None:
        self.root, self.folder, self.pictures = root, folder, pictures
        self.labels, self.shape, self.look = labels, shape, look
        self.names = np.array([_name(picture, folder) for picture in pictures], dtype=str)

    def take(self, index: Tensor) -> Tensor:
        """Some images, decoded: shape ``(B, C, H, W)``, uint8."""
        return torch.stack([self._decode(i) for i in index.tolist()])

    def to(self, device: torch.device) -> "FolderImages":
        """These images: files are on no device."""
        return self

    def subset(self, index: Tensor) -> Self:
        """See the base class."""
        pictures = [self.pictures[i] for i in index.tolist()]
        return type(self)(
            self.root, self.folder, pictures, self.labels[index], self.shape, self.look
        )

    def joined(self, others: Sequence[Self]) -> Self:
        """See the base class."""
        every = [self, *others]
        pictures = [picture for each in every for picture in each.pictures]
        labels = torch.cat([each.labels for each in every])
        return type(self)(self.root, self.folder, pictures, labels, self.shape, self.look)

    def digests(self) -> npt.NDArray[np.uint64]:
        """See the base class: a hash of a file's size, of its two ends and of the page."""
        return np.array([_digest(picture) for picture in self.pictures], np.uint64)

    def decoded(self) -> StoredImages:
        """The same images in memory."""
        pixels = torch.empty((len(self), *self.shape), dtype=torch.uint8)

        def fill(row: int) -> None:
            pixels[row] = self._decode(row)

        with ThreadPoolExecutor() as pool:  # PIL decodes without the interpreter's lock
            list(pool.map(fill, range(len(self))))  # list: so that an error is raised
        return StoredImages(pixels, self.labels, self.names)

    def _decode(self, row: int) -> Tensor:
        return decode(self.root, self.pictures[row], self.shape, self.look)


def _digest(picture: Picture) -> int:
    digest = hashlib.blake2b(str(picture.page).encode(), digest_size=8)
    with open_data(picture.path) as file:
        size = file.seek(0, os.SEEK_END)
        digest.update(str(size).encode())
        for start in (0, max(size - HASHED, 0)):
            file.seek(start)
            digest.update(file.read(HASHED))
    return int.from_bytes(digest.digest())


def _name(picture: Picture, folder: Path) -> str:
    name = picture.path.relative_to(folder).as_posix()
    return name if picture.page is None else f"{name}#{picture.page}"
