"""The 8 x 8 digits that come with scikit-learn."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from vae_cli.data.dataset import Dataset, StoredImages, split_by_seed
from vae_cli.options import checked

PUT_ASIDE = 180  # images, each for validation and test
SIDE = 8  # pixels
FILE = Path("datasets", "data", "digits.csv.gz")  # in scikit-learn's folder
SPLIT_SEED = 0  # not the run's seed: all results are about the same test images


@checked
def load() -> Dataset:
    """1797 handwritten digits of 17 grey levels; 1437, 180 and 180 of them in the three parts.

    The test set of Optical Recognition of Handwritten Digits (Alpaydin & Kaynak 1998, UCI
    Machine Learning Repository), which scikit-learn carries: nothing is downloaded.
    """
    rows = _rows()
    pixels = torch.from_numpy(rows[:, :-1]).to(torch.uint8).reshape(-1, 1, SIDE, SIDE)
    labels = torch.from_numpy(rows[:, -1]).long()
    train, validation, test = (
        StoredImages(pixels[index], labels[index])
        for index in split_by_seed(len(pixels), PUT_ASIDE, PUT_ASIDE, SPLIT_SEED)
    )
    return Dataset(train, validation, test, levels=17)


def _rows() -> np.ndarray:
    """For each image its pixels and its label. Importing scikit-learn would take half a second."""
    found = find_spec("sklearn")
    for folder in (found and found.submodule_search_locations) or ():
        if (file := Path(folder, FILE)).is_file():
            return np.loadtxt(file, delimiter=",")
    from sklearn.datasets import load_digits  # a version that keeps them elsewhere

    digits = load_digits()
    return np.column_stack([digits.data, digits.target])
