"""CIFAR-10: small colour photographs."""

import hashlib
import pickle
from collections.abc import Sequence
from pathlib import Path

import torch
from torchvision.datasets import CIFAR10

from vae_cli.data.dataset import Dataset, StoredImages
from vae_cli.data.fetching import download, unpack
from vae_cli.data.files import Source, data_root, obtain
from vae_cli.data.opened import open_data
from vae_cli.data.parts import last_aside
from vae_cli.options import checked

VALIDATION = 5_000  # the last ones of train
LARGEST = 1 << 25  # bytes of a file with images; each has 31 million


@checked
def load(root: str | None = None) -> Dataset:
    """32 x 32 photographs of ten classes in three channels: 45,000, 5,000 and 10,000.

    Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images. Validation is the
    last 5,000 images of train.

    Args:
        root: Folder of the datasets; None for ``$VAE_CLI_DATA`` or the user's cache.
    """
    parts = (CIFAR10.train_list, CIFAR10.test_list)
    source = Source(
        name="CIFAR-10",
        folder=".",
        files=[CIFAR10.filename],
        needs=[f"{CIFAR10.base_folder}/{name}" for part in parts for name, _ in part],
        url=CIFAR10.url,
    )

    def fetch(to: Path) -> None:
        download([CIFAR10.url], to / CIFAR10.filename, f"md5:{CIFAR10.tgz_md5}")
        unpack(to / CIFAR10.filename, to)

    def read(folder: Path) -> list[StoredImages]:
        return [_read(folder / CIFAR10.base_folder, part) for part in parts]

    train, test = obtain(source, data_root(root), fetch, read)
    train, validation = last_aside(train, VALIDATION)
    return Dataset(train, validation, test, levels=256)


def _read(folder: Path, batches: Sequence[Sequence[str]]) -> StoredImages:
    """The images of some files, given with their checksums."""
    pixels, labels = [], []
    for name, checksum in batches:
        with open_data(folder / name) as file:
            content = file.read(LARGEST)
        # The very bytes that are unpickled are the published ones.
        if hashlib.md5(content).hexdigest() != checksum:
            raise ValueError(f"{name} does not have the checksum {checksum}")
        batch = pickle.loads(content, encoding="latin1")
        pixels.append(torch.from_numpy(batch["data"]).view(-1, 3, 32, 32))
        labels += batch["labels"]
    return StoredImages(torch.cat(pixels), torch.tensor(labels))
