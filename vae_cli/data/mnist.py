"""MNIST and the sets made in its likeness."""

import gzip
import math
import struct
from pathlib import Path
from typing import Literal

import torch
from torchvision import datasets

from vae_cli.data.dataset import Dataset, StoredImages
from vae_cli.data.fetching import LARGEST, copy, download
from vae_cli.data.files import Source, data_root, obtain
from vae_cli.data.opened import open_data
from vae_cli.data.parts import last_aside
from vae_cli.options import checked

SIZES = (60_000, 10_000)  # images of torchvision's train and test
VALIDATION = 10_000  # the last ones of train
BYTES = 8  # how the format calls the type


@checked
def load(name: Literal["MNIST", "FashionMNIST", "KMNIST"], root: str | None = None) -> Dataset:
    """28 x 28 grey images of ten classes: 50,000, 10,000 and 10,000.

    Validation is the last 10,000 images of train, as in the papers on VAEs.

    Args:
        name: MNIST (LeCun et al. 1998), FashionMNIST (Xiao et al. 2017, arXiv:1708.07747) or
            KMNIST, cursive Japanese (Clanuwat et al. 2018, arXiv:1812.01718).
        root: Folder of the datasets; None for ``$VAE_CLI_DATA`` or the user's cache.
    """
    kind = getattr(datasets, name)
    files = [file for file, _ in kind.resources]
    source = Source(
        name=name,
        folder=f"{name}/raw",
        files=files,
        needs=[f"{name}/raw/{Path(file).stem}" for file in files],
        url=kind.mirrors[0],
    )

    def fetch(to: Path) -> None:
        for file, checksum in kind.resources:
            packed = to / source.folder / file
            download([mirror + file for mirror in kind.mirrors], packed, f"md5:{checksum}")
            with gzip.open(packed) as inflated, packed.with_suffix("").open("xb") as target:
                copy(inflated.read, target, LARGEST)

    def read(folder: Path) -> list[StoredImages]:
        return [
            StoredImages(
                _read_idx(folder / source.folder / f"{part}-images-idx3-ubyte", (size, 28, 28)),
                _read_idx(folder / source.folder / f"{part}-labels-idx1-ubyte", (size,)),
            )
            for part, size in zip(("train", "t10k"), SIZES, strict=True)
        ]

    train, test = obtain(source, data_root(root), fetch, read)
    train, validation = last_aside(train, VALIDATION)
    classes = () if name == "MNIST" else kind.classes  # "7 - seven" says nothing more than 7
    return Dataset(train, validation, test, 256, classes)


def _read_idx(path: Path, shape: tuple[int, ...]) -> torch.Tensor:
    """Bytes of a known shape from a file in the format of MNIST; images get a channel."""
    header = struct.pack(f">HBB{len(shape)}I", 0, BYTES, len(shape), *shape)
    with open_data(path) as file:
        found = file.read(len(header))
        content = bytearray(file.read(math.prod(shape) + 1))
    if found != header:
        raise ValueError(f"{path.name} does not begin as a file of shape {list(shape)} does")
    if len(content) != math.prod(shape):
        raise ValueError(f"{path.name} does not have the length of {list(shape)}")
    values = torch.frombuffer(content, dtype=torch.uint8).view(shape)
    return values.unsqueeze(1) if len(shape) == 3 else values
