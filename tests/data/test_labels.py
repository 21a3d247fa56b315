"""Which training labels are kept."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from vae_cli.data import array, image_folder
from vae_cli.data.dataset import Dataset, StoredImages
from vae_cli.data.labels import class_count, keep_labels, missing_labels
from vae_cli.errors import InvalidOption

SIZES = [9, 12, 7]  # labelled training images of each class
LABELS = torch.tensor([0] * 9 + [1] * 12 + [2] * 7)
MIXED = LABELS[torch.randperm(28, generator=torch.Generator().manual_seed(0))]
PARTLY = torch.stack([MIXED, torch.full_like(MIXED, -1)], 1).flatten()  # every other one unknown
GAPS = torch.tensor([0, 0, 2, 2])


def dataset(train: Tensor, held_out: Tensor = LABELS, classes: Sequence[str] = ()) -> Dataset:
    parts = (StoredImages(torch.zeros(len(y), 1, 1, 1), y) for y in (train, held_out, held_out))
    return Dataset(*parts, None, classes)


def kept(labels: Tensor, count: int, seed: int = 0) -> Tensor:
    return keep_labels(dataset(labels), count, seed).train.labels


@pytest.mark.parametrize("labels", [LABELS, MIXED, PARTLY])
@pytest.mark.parametrize("count", [3, 4, 5, 6, 17, 21])
def test_as_many_of_each_class(labels: Tensor, count: int) -> None:
    left = kept(labels, count)
    known = left >= 0
    assert torch.equal(left[known], labels[known])
    assert (left[~known] == -1).all()
    sizes = left[known].bincount(minlength=3)
    assert sizes.sum() == count and sizes.max() - sizes.min() <= 1


def test_a_function_of_the_seed() -> None:
    found = [kept(MIXED, 5, seed) for seed in range(9)]
    assert all(torch.equal(kept(MIXED, 5, seed), labels) for seed, labels in enumerate(found))
    assert len({tuple(labels.tolist()) for labels in found}) == 9
    left_over = {int(labels[labels >= 0].bincount().argmin()) for labels in found}
    assert left_over == {0, 1, 2}  # who has one label less is up to the seed, too


def test_more_keep_what_fewer_keep() -> None:
    for count in range(3, 21):
        fewer, more = kept(PARTLY, count), kept(PARTLY, count + 1)
        assert torch.equal(more[fewer >= 0], fewer[fewer >= 0])


def test_the_rest_of_the_set_is_left_alone() -> None:
    before = dataset(MIXED.clone(), classes="abc")
    after = keep_labels(before, 6, 0)
    assert torch.equal(before.train.labels, MIXED)
    assert after.train.pixels is before.train.pixels
    assert after.validation is before.validation and after.test is before.test
    assert (after.levels, after.classes) == (before.levels, before.classes)


@pytest.mark.parametrize(
    ("given", "count", "message"),
    [
        (dataset(-LABELS.clamp(1, 1), -LABELS.clamp(1, 1)), 5, "5: the set has no labels"),
        (dataset(-LABELS.clamp(1, 1)), 5, "class 0 of 3 has no labelled training image"),
        (dataset(GAPS, GAPS), 3, "class 1 of 3 has no labelled training image"),
        (dataset(GAPS, GAPS, "abc"), 3, "class b of 3 has no labelled training image"),
        (dataset(LABELS.clamp(0, 1)), 5, "class 2 of 3 has no labelled training image"),
        (dataset(LABELS.clamp(0, 1) * 2**62), 5, f"class 1 of {2**62 + 1} has no labelled"),
        (dataset(LABELS), 2, "2: needs one for each of the 3 classes. Try labels=3."),
        (
            dataset(PARTLY),
            29,
            "29: only 28 training images have a label. Leave it out, which keeps all",
        ),
        (dataset(LABELS), 24, "class 2 has only 7 labelled training images, but its share is 8."),
        (dataset(LABELS, classes="abc"), 24, "class c has only 7 labelled"),
        (dataset(LABELS), 24, "Try labels=21."),
    ],
)
def test_is_reported(given: Dataset, count: int, message: str) -> None:
    with pytest.raises(InvalidOption, match=f"^labels=.*{re.escape(message)}"):
        keep_labels(given, count, 0)


def test_classes() -> None:
    unknown = torch.full((4,), -1)
    assert class_count(dataset(unknown, unknown)) == 0
    assert class_count(dataset(unknown)) == 3
    assert missing_labels(dataset(PARTLY)) == ""


def test_of_an_array_file(tmp_path: Path) -> None:
    labels = np.tile([0, 1, -1, -1], 25)
    np.savez(tmp_path / "a.npz", images=np.zeros((100, 2, 2), np.uint8), labels=labels)
    given = array.load(str(tmp_path / "a.npz"))
    left = keep_labels(given, 20, 0).train.labels
    assert left[left >= 0].bincount().tolist() == [10, 10]
    assert (given.train.labels[left >= 0] >= 0).all()


@pytest.mark.parametrize("memory_limit", [2.0, 1e-9])
def test_of_a_folder(memory_limit: float, tmp_path: Path) -> None:
    for i in range(60):
        path = tmp_path / ("cat", "dog", "unlabeled")[i % 3] / f"{i:02}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("L", (2, 2), 4 * i).save(path)
    given = image_folder.load(str(tmp_path), memory_limit=memory_limit)
    train = keep_labels(given, 10, 0).train
    assert train.labels[train.labels >= 0].bincount().tolist() == [5, 5]
    index = torch.arange(len(train))
    assert torch.equal(train.take(index), given.train.take(index))
    assert train.in_memory == (memory_limit > 1)
