"""Frey Faces: one man's face, frame by frame."""

from pathlib import Path

import numpy as np
import torch

from vae_cli.data.dataset import Dataset, StoredImages, split_by_seed
from vae_cli.data.fetching import download
from vae_cli.data.files import Source, data_root, obtain
from vae_cli.data.numbers import read_arrays
from vae_cli.options import checked

URL = "https://cs.nyu.edu/~roweis/data/"
FILE = "frey_rawface.mat"
FOLDER = "frey_faces"
COUNT, HEIGHT, WIDTH = 1965, 28, 20
PUT_ASIDE = 200  # images, each for validation and test
SPLIT_SEED = 0  # not the run's seed: all results are about the same images


@checked
def load(root: str | None = None) -> Dataset:
    """1965 frames of a video, 28 high and 20 wide: 1565, 200 and 200, without labels.

    Sam Roweis' and Brendan Frey's, with 256 grey levels. Neighbouring frames are alike, so
    that the test images, chosen by a fixed seed, have near twins in train.

    Args:
        root: Folder of the datasets; None for ``$VAE_CLI_DATA`` or the user's cache.
    """
    path = f"{FOLDER}/{FILE}"
    source = Source("Frey Faces", FOLDER, files=[FILE], needs=[path], url=URL)

    def fetch(folder: Path) -> None:
        # Read at once: its checksum is published nowhere, so the contents have to do.
        download([URL + FILE], folder / path)
        _read(folder / path)

    pixels = obtain(source, data_root(root), fetch, lambda folder: _read(folder / path))
    train, validation, test = (
        StoredImages(pixels[index])
        for index in split_by_seed(len(pixels), PUT_ASIDE, PUT_ASIDE, SPLIT_SEED)
    )
    return Dataset(train, validation, test, levels=256)


def _read(path: Path) -> torch.Tensor:
    """The frames, shape ``(1965, 1, 28, 20)``; a column of the file is one frame, row by row."""
    faces = read_arrays(path)["ff"]
    if faces.shape != (HEIGHT * WIDTH, COUNT) or faces.dtype != np.uint8:
        raise ValueError(
            f"{FILE} holds {faces.dtype} of shape {faces.shape}, not uint8 (560, 1965)"
        )
    return torch.from_numpy(faces.T.reshape(COUNT, 1, HEIGHT, WIDTH).copy())
