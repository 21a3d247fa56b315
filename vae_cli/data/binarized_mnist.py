"""Static binarised MNIST, the set that most published log-likelihoods are about."""

import gzip
from pathlib import Path

import numpy as np
import torch

from vae_cli.data.dataset import Dataset, StoredImages
from vae_cli.data.fetching import download
from vae_cli.data.files import Source, data_root, is_there, obtain
from vae_cli.data.opened import open_data
from vae_cli.options import checked

URL = "http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/"
FOLDER = "binarized_mnist"
SIZES = {"train": 50_000, "valid": 10_000, "test": 10_000}
SHA256 = {
    "train": "ad693b29f94c14277b095f5238ddefbbdaaae0939789dd2f4f0205278cee3e4d",
    "valid": "1de3d397c40fe8eeb33dafd4099a1f665ec01e96d9be234aaeeac8a34930e2e2",
    "test": "e6687bfea3f820c174f33b7865140b2a2dd2930ef786f35d45795fc193b5ab2c",
}
PIXELS = 28 * 28
LONGEST = 4  # bytes a pixel: the digit and what parts it from the next


@checked
def load(root: str | None = None) -> Dataset:
    """28 x 28 images of zeros and ones: 50,000, 10,000 and 10,000, without labels.

    Drawn once from MNIST's grey values (Salakhutdinov & Murray 2008; the files are
    Larochelle's). The order is not MNIST's, and the test images come sorted by digit.

    Args:
        root: Folder of the datasets; None for ``$VAE_CLI_DATA`` or the user's cache.
    """
    root_folder = data_root(root)
    # A file may lie there as it was published or compressed.
    names = {
        part: f"binarized_mnist_{part}.amat"
        + (".gz" if is_there(root_folder / FOLDER / f"binarized_mnist_{part}.amat.gz") else "")
        for part in SIZES
    }
    source = Source(
        name="static binarised MNIST",
        folder=FOLDER,
        files=list(names.values()),
        needs=[f"{FOLDER}/{name}" for name in names.values()],
        url=URL,
    )

    def fetch(folder: Path) -> None:
        for part, name in names.items():
            if not (folder / FOLDER / name).exists():
                download([URL + name], folder / FOLDER / name, f"sha256:{SHA256[part]}")

    def read(folder: Path) -> list[StoredImages]:
        return [_read(folder / FOLDER / names[part], size) for part, size in SIZES.items()]

    train, validation, test = obtain(source, root_folder, fetch, read)
    return Dataset(train, validation, test, levels=2)


def _read(path: Path, size: int) -> StoredImages:
    """One image a line, digits separated by spaces."""
    with open_data(path) as opened, gzip.open(opened) if path.suffix == ".gz" else opened as file:
        content = file.read(LONGEST * size * PIXELS)  # a few kilobytes may unpack to any length
    text = np.frombuffer(content, np.uint8)
    pixels = text[text > ord(" ")] - ord("0")
    if len(pixels) != size * PIXELS:
        raise ValueError(f"{path.name} has {len(pixels)} values, not {size} x {PIXELS}")
    if pixels.max() > 1:
        raise ValueError(f"{path.name} has characters besides 0 and 1")
    return StoredImages(torch.from_numpy(pixels).view(size, 1, 28, 28))
