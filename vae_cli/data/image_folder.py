"""The user's own images in a folder."""

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import torch
from PIL import ImageColor
from torch import Size, Tensor

from vae_cli.data.dataset import Dataset, Images, StoredImages
from vae_cli.data.folder_parts import class_names, find_parts, with_classes
from vae_cli.data.opened import MOST_PIXELS, SUFFIXES, is_folder, open_data, user_path
from vae_cli.data.parts import Parted, three_parts
from vae_cli.data.picture import STACKS, Header, Picture, decode, read_header
from vae_cli.data.walk import find_images
from vae_cli.errors import ConfigError
from vae_cli.options import Fraction, NonNegativeInt, PositiveFloat, PositiveInt, checked

HASHED = 4096  # bytes at either end of a file, which tell images apart
PROBED = 20_000  # files whose headers are read where not all have to be


@checked
def load(
    root: str | None = None,
    size: Sequence[PositiveInt] | PositiveInt | None = None,
    channels: Literal[1, 3] | None = None,
    background: str = "white",
    seed: NonNegativeInt = 0,
    validation: Fraction = 0.1,
    test: Fraction = 0.1,
    memory_limit: PositiveFloat = 2.0,
) -> Dataset:
    """Images of the usual formats, 256 levels, from a folder and the folders below it.

    Sub-folders called ``train``, ``validation`` and ``test`` are the parts
    (``vae_cli.data.folder_parts``); parts that are missing are split from ``train`` by ``seed``.
    Folders below that are the classes, numbered in alphabetic order over all parts; images beside
    them have no label, nor have those in a folder called ``unlabeled`` or ``unlabelled``.

    Pictures are turned upright as their EXIF tag says. Pages of one size in a TIFF file are one
    image each; of an animation the first frame counts.

    Links are followed, also out of the folder. Each folder is read once, however many links lead
    to it, and a link to an image that is already found is left out.

    Args:
        root: The folder.
        size: Height and width, or one number for both: an image's middle is cut to that form and
            resized. None where all images have one size already.
        channels: 1 for grey, 3 for colour; None for colour where any image has some.
        background: Colour behind transparent pixels, a name or ``#rrggbb``.
        seed: Decides which images are put aside; the same seed, the same parts.
        validation: Fraction of the images put aside for validation.
        test: Fraction of the images put aside for the test.
        memory_limit: GiB of decoded pixels to keep in memory at most. Images of a larger folder
            are decoded anew whenever they are needed.
    """
    folder = _checked_folder(root, size, background)
    root = str(root)
    folders = find_parts(root, folder)
    files = find_images(root, folders.parts)
    found = {part: with_classes(folders.parts[part], p) for part, p in files.images.items()}
    if empty := [part for part, paths in found.items() if not paths]:
        rule = "holds no images" + (f" for {', '.join(empty)}" if len(found) > 1 else "")
        raise ConfigError("data.root", root, rule, f"They end in {', '.join(sorted(SUFFIXES))}.")
    classes = class_names(root, list(found.values()))

    headers = _headers(root, [path for part in found.values() for path in part], size is None)
    height, width = _common_size(root, headers) if size is None else np.broadcast_to(size, 2)
    is_grey = all(header.is_grey for header in headers.values())
    shape = Size([channels or (1 if is_grey else 3), int(height), int(width)])
    if shape[1] * shape[2] > MOST_PIXELS:
        rule = f"needs no more than {MOST_PIXELS:,} pixels"
        raise ConfigError("data.size", list(shape[1:]), rule, "Try data.size=64.")

    numbers = {name: number for number, name in enumerate(classes)} | {"": -1}
    given: dict[str, FolderImages] = {}
    for part, names in found.items():
        pictures = {p: numbers[names[p.path]] for path in names for p in _pages(path, headers)}
        labels = torch.tensor(list(pictures.values()))
        given[part] = FolderImages(root, folder, list(pictures), labels, shape, background)
    count = sum(map(len, given.values()))
    parted = three_parts(given, {"validation": validation, "test": test}, seed)
    is_small = count * shape.numel() <= memory_limit * 2**30
    kept: Parted[Images] = parted.with_each(FolderImages.decoded if is_small else _as_it_is)
    notes = [
        *_describe_headers(headers, channels, background),
        *_describe_left_out(files.left_out),
        *folders.notes,
    ]
    return Dataset(kept.train, kept.validation, kept.test, 256, classes, kept.pooled, notes)


class FolderImages(Images):
    """Images that are decoded whenever they are taken.

    Args:
        root: The folder as the user calls it.
        folder: The folder.
        pictures: The files, or their pages.
        labels: Shape ``(N,)``, -1 where unknown.
        shape: Shape that every image is brought to, ``(C, H, W)`` with one channel or three.
        background: Colour behind transparent pixels.
    """

    in_memory = False

    def __init__(
        self,
        root: str,
        folder: Path,
        pictures: Sequence[Picture],
        labels: Tensor,
        shape: Size,
        background: str,
    ) -> None:
        self.root, self.folder, self.pictures = root, folder, pictures
        self.labels, self.shape, self.background = labels, shape, background
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
            self.root, self.folder, pictures, self.labels[index], self.shape, self.background
        )

    def joined(self, others: Sequence[Self]) -> Self:
        """See the base class."""
        every = [self, *others]
        pictures = [picture for each in every for picture in each.pictures]
        labels = torch.cat([each.labels for each in every])
        return type(self)(self.root, self.folder, pictures, labels, self.shape, self.background)

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
        return decode(self.root, self.pictures[row], self.shape, self.background)


def _as_it_is(images: FolderImages) -> Images:
    return images


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


def _checked_folder(root: str | None, size: Sequence[int] | int | None, background: str) -> Path:
    """The folder, once what the user chose is possible."""
    if root is None:
        rule = "needs a folder of images"
        raise ConfigError("data.root", None, rule, "Try data.root=my_images.")
    if isinstance(size, Sequence) and len(size) != 2:
        rule = "needs height and width, or one number for both"
        raise ConfigError("data.size", list(size), rule, "Try data.size=[64,48].")
    try:
        ImageColor.getrgb(background)
    except ValueError as error:
        rule = "is not the name of a colour"
        raise ConfigError("data.background", background, rule, "Try black or white.") from error
    folder = user_path("data.root", root)
    if not is_folder(folder):
        rule = "is not a folder that can be entered"
        raise ConfigError("data.root", root, rule, f"Paths are relative to {Path.cwd()}.")
    return folder


def _headers(root: str, paths: Sequence[Path], all_of_them: bool) -> dict[Path, Header]:
    """Headers of the files: of all, or else of some spread over them, and of all stacks."""
    step = 1 if all_of_them else -(-len(paths) // PROBED)
    probed = [p for i, p in enumerate(paths) if i % step == 0 or p.suffix.lower() in STACKS]
    with ThreadPoolExecutor() as pool:
        return dict(zip(probed, pool.map(partial(read_header, root), probed), strict=True))


def _pages(path: Path, headers: Mapping[Path, Header]) -> list[Picture]:
    pages = headers[path].pages if path in headers else 1
    return [Picture(path)] if pages == 1 else [Picture(path, page) for page in range(pages)]


def _common_size(root: str, headers: Mapping[Path, Header]) -> tuple[int, int]:
    """Height and width of all images."""
    first = next(iter(headers))
    for path, header in headers.items():
        if header.size != headers[first].size:
            rule = f"needs images of one size, but {first} is {headers[first].size} and {path} is "
            remedy = "Try data.size=64, which resizes all."
            raise ConfigError("data.root", root, f"{rule}{header.size}", remedy)
    return headers[first].size


def _describe_headers(
    headers: Mapping[Path, Header], channels: int | None, background: str
) -> list[str]:
    """What was decided about pictures that are not all alike, and how to decide otherwise."""
    count, every = len(headers), headers.values()
    grey, transparent = sum(h.is_grey for h in every), sum(h.is_transparent for h in every)
    stacks, animated = [h.pages for h in every if h.pages > 1], sum(h.frames > 1 for h in every)
    notes = {
        f"{grey} of {count} pictures are grey and the others have colours: all are read in colour; "
        "data.channels=1 reads all as grey": channels is None and 0 < grey < count,
        f"{transparent} of {count} pictures are transparent: they are put on {background} "
        "(data.background)": transparent > 0,
        f"{len(stacks)} files are stacks: each of their {sum(stacks)} pages is an image": stacks,
        f"{animated} files have several frames: the first one is read": animated,
    }
    return [note for note, applies in notes.items() if applies]


def _describe_left_out(left_out: Counter[str]) -> list[str]:
    """A note about files that may be images of another format."""
    kinds = [f"{count} files that end in {suffix}" for suffix, count in left_out.most_common(5)]
    return [f"left out: {', '.join(kinds)}; convert images to PNG or JPEG"] if kinds else []
