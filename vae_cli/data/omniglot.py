"""Omniglot: characters of fifty alphabets, drawn by twenty people each."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torchvision.datasets import Omniglot

from vae_cli.data.dataset import Dataset, StoredImages, split_by_seed
from vae_cli.data.fetching import download, unpack
from vae_cli.data.files import Source, data_root, obtain
from vae_cli.data.opened import open_image
from vae_cli.options import PositiveInt, checked

SIZES = {"images_background": 19_280, "images_evaluation": 13_180}
SIDE = 105  # pixels of the drawings
SPLIT_SEED = 0  # not the run's seed: all results are about the same images


@checked
def load(root: str | None = None, size: PositiveInt = 28) -> Dataset:
    """Handwritten characters, ink is 1: 17,352, 1,928 and 13,180 images.

    Lake et al. 2015, Human-level concept learning through probabilistic program induction
    (Science 350). Thirty alphabets ("background") are train and, a tenth of them chosen by a
    fixed seed, validation; test is the other twenty. A label is a character, of 1623.

    Args:
        root: Folder of the datasets; None for ``$VAE_CLI_DATA`` or the user's cache.
        size: Side of the images in pixels. The drawings of 105 x 105 are averaged over areas.
    """
    folder = Omniglot.folder
    source = Source(
        name="Omniglot",
        folder=folder,
        files=[f"{part}.zip" for part in SIZES],
        needs=[f"{folder}/{part}" for part in SIZES],
        url=Omniglot.download_url_prefix,
    )

    def fetch(to: Path) -> None:
        for part, file in zip(SIZES, source.files, strict=True):
            url, checksum = f"{Omniglot.download_url_prefix}/{file}", Omniglot.zips_md5[part]
            download([url], to / folder / file, f"md5:{checksum}")
            unpack(to / folder / file, to / folder)

    def read(at: Path) -> list[StoredImages]:
        return [_read(at / folder / part, count, size) for part, count in SIZES.items()]

    background, test = obtain(source, data_root(root), fetch, read)
    put_aside = len(background) // 10
    train, validation, _ = (
        StoredImages(background.pixels[index], background.labels[index])
        for index in split_by_seed(len(background), put_aside, 0, SPLIT_SEED)
    )
    test.labels += int(background.labels.max()) + 1  # the alphabets are others
    return Dataset(train, validation, test, levels=256)


def _read(folder: Path, count: int, size: int) -> StoredImages:
    """All drawings below a folder, ``alphabet/character/drawing.png``."""
    # Sorted: torchvision takes the order of the file system, which differs between machines.
    paths = sorted(folder.glob("*/*/*.png"))
    if len(paths) != count:
        raise ValueError(f"{folder.name} has {len(paths)} drawings, not {count}")
    characters = {path: number for number, path in enumerate(sorted({p.parent for p in paths}))}
    weights = area_weights(SIDE, size)
    pixels = np.empty((count, 1, size, size), np.uint8)
    for row, path in enumerate(paths):
        with open_image(path, ["PNG"]) as image:
            ink = 1 - np.asarray(image.convert("1"), np.float32)
        if ink.shape != (SIDE, SIDE):
            raise ValueError(f"{path} has {ink.shape} pixels, not {SIDE} x {SIDE}")
        pixels[row, 0] = (255 * (weights @ ink @ weights.T)).round()
    labels = torch.tensor([characters[path.parent] for path in paths])
    return StoredImages(torch.from_numpy(pixels), labels)


def area_weights(source: int, target: int) -> npt.NDArray[np.float32]:
    """The matrix that averages a line of pixels over equal stretches.

    Args:
        source: Pixels of the line.
        target: Number of stretches; a pixel on a border counts by how much of it is inside.

    Returns:
        Shape ``(target, source)``; each row sums to one.
    """
    edges = np.linspace(0, source, target + 1)[:, None]
    pixels = np.arange(source)
    overlap = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
    weights: npt.NDArray[np.float32] = (overlap.clip(0) * target / source).astype(np.float32)
    return weights
