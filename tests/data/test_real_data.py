"""The real files, where they are."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.datasets.mnist import read_label_file

from vae_cli.data import binarized_mnist, mnist
from vae_cli.data.dataset import Dataset


def check_sizes(dataset: Dataset) -> None:
    parts = (dataset.train, dataset.validation, dataset.test)
    assert [len(part) for part in parts] == [50_000, 10_000, 10_000]
    assert {part.shape for part in parts} == {(1, 28, 28)}


@pytest.mark.parametrize(("name", "mean"), [("MNIST", 0.1307), ("FashionMNIST", 0.2860)])
def test_mnist(name: str, mean: float, real_data: Path, tmp_path: Path) -> None:
    if not (real_data / name).is_dir():
        pytest.skip(f"no {name} in {real_data}")
    shutil.copytree(real_data / name, tmp_path / name)  # torchvision unpacks beside the archives
    dataset = mnist.load(name, str(tmp_path))
    check_sizes(dataset)
    assert dataset.levels == 256
    pixels = torch.cat([dataset.train.pixels, dataset.validation.pixels])
    assert pixels.sum(dtype=torch.int64) / pixels.numel() / 255 == pytest.approx(mean, abs=1e-4)
    published = read_label_file(str(tmp_path / name / "raw" / "train-labels-idx1-ubyte"))
    assert torch.equal(torch.cat([dataset.train.labels, dataset.validation.labels]), published)
    assert set(dataset.test.labels.tolist()) == set(range(10))


def test_binarized_mnist(real_data: Path) -> None:
    if not (real_data / "binarized_mnist").is_dir():
        pytest.skip(f"no binarized_mnist in {real_data}")
    dataset = binarized_mnist.load(str(real_data))  # reads only
    check_sizes(dataset)
    assert dataset.levels == 2
    three = (dataset.train, dataset.validation, dataset.test)
    # Counted in the text itself: zcat FILE | tr -cd 1 | wc -c
    ones = [np.count_nonzero(part.pixels.numpy()) for part in three]
    assert ones == [5_118_041, 1_028_036, 1_038_896]
    assert all((part.labels == -1).all() for part in three)
