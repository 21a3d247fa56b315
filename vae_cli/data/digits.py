"""The 8 x 8 digits that come with scikit-learn."""

import torch
from sklearn.datasets import load_digits

from vae_cli.data.dataset import Dataset, StoredImages, split_by_seed
from vae_cli.options import checked

PUT_ASIDE = 180  # images, each for validation and test
SPLIT_SEED = 0  # not the run's seed: all results are about the same test images


@checked
def load() -> Dataset:
    """1797 handwritten digits of 17 grey levels; 1437, 180 and 180 of them in the three parts.

    The test set of Optical Recognition of Handwritten Digits (Alpaydin & Kaynak 1998, UCI
    Machine Learning Repository), which scikit-learn carries: nothing is downloaded.
    """
    digits = load_digits()
    pixels = torch.from_numpy(digits.images).to(torch.uint8).unsqueeze(1)
    labels = torch.from_numpy(digits.target)
    train, validation, test = (
        StoredImages(pixels[index], labels[index])
        for index in split_by_seed(len(pixels), PUT_ASIDE, PUT_ASIDE, SPLIT_SEED)
    )
    return Dataset(train, validation, test, levels=17)
