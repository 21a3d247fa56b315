"""The user's own images in a folder."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Size, Tensor

from vae_cli.data.dataset import Dataset, Images, StoredImages
from vae_cli.data.opened import MOST_PIXELS, is_folder, open_image, user_path
from vae_cli.data.parts import three_parts
from vae_cli.data.walk import SUFFIXES, find_images
from vae_cli.errors import ConfigError
from vae_cli.options import Fraction, NonNegativeInt, PositiveFloat, PositiveInt, checked

PARTS = ("train", "validation", "test")
MODES = {1: "L", 3: "RGB"}  # what PIL calls images of that many channels
GREY = ("1", "L", "LA")
UNLABELLED = ("unlabeled", "unlabelled")  # folders that are no class
DEEP = ("I", "F")  # modes of more than 256 levels begin so; PIL would clip them


@checked
def load(
    root: str | None = None,
    size: Sequence[PositiveInt] | PositiveInt | None = None,
    channels: Literal[1, 3] | None = None,
    seed: NonNegativeInt = 0,
    validation: Fraction = 0.1,
    test: Fraction = 0.1,
    memory_limit: PositiveFloat = 2.0,
) -> Dataset:
    """Images of the usual formats, 256 levels, from a folder and the folders below it.

    Sub-folders called ``train`` and ``test`` (and ``validation``, else it is put aside from
    train) are the parts; without them the images are split by ``seed``. Folders below that are
    the classes, numbered in alphabetic order over all parts; images beside them have no label,
    nor have those in a folder called ``unlabeled`` or ``unlabelled``.

    Links are followed, also out of the folder. Each folder is read once, however many links lead
    to it, and a link to an image that is already found is left out.

    Args:
        root: The folder.
        size: Height and width, or one number for both: an image's middle is cut to that form and
            resized. None where all images have one size already.
        channels: 1 for grey, 3 for colour; None for what the first image has.
        seed: Decides which images are put aside; the same seed, the same parts.
        validation: Fraction of the images put aside for validation.
        test: Fraction of the images put aside for the test.
        memory_limit: GiB of decoded pixels to keep in memory at most. Images of a larger folder
            are decoded anew whenever they are needed.
    """
    if root is None:
        rule = "needs a folder of images"
        raise ConfigError("data.root", None, rule, "Try data.root=my_images.")
    if isinstance(size, Sequence) and len(size) != 2:
        rule = "needs height and width, or one number for both"
        raise ConfigError("data.size", list(size), rule, "Try data.size=[64,48].")
    folder = user_path("data.root", root)
    if not is_folder(folder):
        rule = "is not a folder that can be entered"
        raise ConfigError("data.root", root, rule, f"Paths are relative to {Path.cwd()}.")

    folders = _parts(folder)
    found = {
        part: _with_classes(folders[part], paths)
        for part, paths in find_images(root, folders).items()
    }
    if empty := [part for part, paths in found.items() if not paths]:
        rule = "holds no images" + (f" for {', '.join(empty)}" if len(found) > 1 else "")
        raise ConfigError("data.root", root, rule, f"They end in {', '.join(sorted(SUFFIXES))}.")
    classes = sorted({name for part in found.values() for name in part.values() if name})
    if odd := [name for name in classes if not name.isprintable()]:
        rule = f"holds a folder called {odd[0]!a}, which is not a name that can be printed"
        raise ConfigError("data.root", root, rule, "Rename it.")
    numbers = {name: number for number, name in enumerate(classes)} | {"": -1}

    paths = [path for part in found.values() for path in part]
    height, width = _common_size(root, paths) if size is None else np.broadcast_to(size, 2).tolist()
    with _opened(root, paths[0]) as image:
        channels = channels or (1 if image.mode in GREY else 3)
    shape = Size([channels, height, width])
    if height * width > MOST_PIXELS:
        rule = f"needs no more than {MOST_PIXELS:,} pixels"
        raise ConfigError("data.size", [height, width], rule, "Try data.size=64.")
    given = {
        part: FolderImages(
            root, list(names), torch.tensor([numbers[n] for n in names.values()]), shape
        )
        for part, names in found.items()
    }
    fractions = {"validation": validation, "test": test}
    train, valid, held_out = three_parts(given, fractions, seed, FolderImages.subset)
    if len(paths) * shape.numel() > memory_limit * 2**30:
        return Dataset(train, valid, held_out, 256, classes)
    return Dataset(train.decoded(), valid.decoded(), held_out.decoded(), 256, classes)


class FolderImages(Images):
    """Images that are decoded whenever they are taken.

    Args:
        root: The folder as the user calls it.
        paths: The files.
        labels: Shape ``(N,)``, -1 where unknown.
        shape: Shape that every image is brought to, ``(C, H, W)`` with one channel or three.
    """

    in_memory = False

    def __init__(self, root: str, paths: Sequence[Path], labels: Tensor, shape: Size) -> None:
        self.root, self.paths, self.labels, self.shape = root, paths, labels, shape

    def take(self, index: Tensor) -> Tensor:
        """Some images, decoded: shape ``(B, C, H, W)``, uint8."""
        return torch.stack([self._decode(i) for i in index.tolist()])

    def to(self, device: torch.device) -> "FolderImages":
        """These images: files are on no device."""
        return self

    def subset(self, index: Tensor) -> "FolderImages":
        """Some of the images, by their positions."""
        paths = [self.paths[i] for i in index.tolist()]
        return FolderImages(self.root, paths, self.labels[index], self.shape)

    def decoded(self) -> StoredImages:
        """The same images in memory."""
        pixels = torch.empty((len(self), *self.shape), dtype=torch.uint8)

        def fill(row: int) -> None:
            pixels[row] = self._decode(row)

        with ThreadPoolExecutor() as pool:  # PIL decodes without the interpreter's lock
            list(pool.map(fill, range(len(self))))  # list: so that an error is raised
        return StoredImages(pixels, self.labels)

    def _decode(self, row: int) -> Tensor:
        channels, height, width = self.shape
        with _opened(self.root, self.paths[row]) as image:
            converted = image.convert(MODES[channels])
            fitted = ImageOps.fit(converted, (width, height), Image.Resampling.BILINEAR)
        pixels = np.array(fitted).reshape(height, width, channels)
        return torch.from_numpy(pixels).permute(2, 0, 1)


def _parts(folder: Path) -> dict[str, Path]:
    """The folders of the parts that are there; the folder itself as ``all`` where none is."""
    parts = {part: folder / part for part in PARTS if is_folder(folder / part)}
    if not parts:
        return {"all": folder}
    if missing := {"train", "test"} - set(parts):
        rule = f"holds the folder {', '.join(parts)} but not {', '.join(sorted(missing))}"
        raise ConfigError("data.root", folder, rule, "Add it, or have neither for a split by seed.")
    return parts


def _with_classes(folder: Path, paths: Sequence[Path]) -> dict[Path, str]:
    """The images of a part, each with its class: empty where it has none."""
    below = {path: path.relative_to(folder).parts for path in paths}
    return {
        path: parts[0] if len(parts) > 1 and parts[0] not in UNLABELLED else ""
        for path, parts in below.items()
    }


def _common_size(root: str, paths: Sequence[Path]) -> tuple[int, int]:
    """Height and width of all images, from their headers alone."""
    sizes = {}
    for path in paths:
        with _opened(root, path) as image:
            sizes[path] = (image.height, image.width)
        if sizes[path] != sizes[paths[0]]:
            first, other = sizes[paths[0]], sizes[path]
            rule = f"needs images of one size, but {paths[0]} is {first} and {path} is {other}"
            raise ConfigError("data.root", root, rule, "Try data.size=64, which resizes all.")
    return sizes[paths[0]]


@contextmanager
def _opened(root: str, path: Path) -> Iterator[Image.Image]:
    """An image, and one line for the user if it proves broken while it is used."""
    try:
        with open_image(path) as image:
            if image.mode.startswith(DEEP):
                rule = f"holds {path} with more than 256 grey levels"
                raise ConfigError("data.root", root, rule, "Such images can come with data=array.")
            yield image
    except ValueError as error:
        rule = f"holds {path}, which can't be read as an image ({error})"
        raise ConfigError("data.root", root, rule, "Repair or remove it.") from error
