"""Labels and names of arrays as people store them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vae_cli.data import array
from vae_cli.data.dataset import Dataset
from vae_cli.data.label_values import match_classes

COUNT = 40
IMAGES = np.random.default_rng(0).integers(0, 256, (COUNT, 5, 6), np.uint8)
KINDS = np.arange(COUNT) % 3


def saved(path: Path, **arrays: np.ndarray) -> Dataset:
    np.savez(path / "a.npz", **arrays)
    return array.load(str(path / "a.npz"))


def labels_by_row(dataset: Dataset) -> list[int]:
    """The labels in the order of the file."""
    rows = np.concatenate([part.names for part in dataset.parts.values()])
    labels = torch.cat([part.labels for part in dataset.parts.values()])
    return labels[torch.from_numpy(rows.argsort())].tolist()


def told(dataset: Dataset) -> str:
    return "\n".join(dataset.notes)


STORED: list[tuple[str, np.ndarray, list[int], list[str]]] = [
    # how labels are stored, the labels, their numbers, the names of the classes
    ("as they are", KINDS, KINDS.tolist(), []),
    ("bytes", KINDS.astype(np.uint8), KINDS.tolist(), []),
    ("floats", KINDS.astype(np.float32), KINDS.tolist(), []),
    ("column", KINDS[:, None], KINDS.tolist(), []),
    ("row", KINDS[None], KINDS.tolist(), []),
    ("from 1", KINDS + 1, KINDS.tolist(), ["1", "2", "3"]),
    ("gaps", np.array([70, 3, 1000])[KINDS], np.array([1, 0, 2])[KINDS].tolist(),
     ["3", "70", "1000"]),
    ("text", np.array(["dog", "cat", "emu"])[KINDS], np.array([1, 0, 2])[KINDS].tolist(),
     ["cat", "dog", "emu"]),
    ("bytes of text", np.array([b"b", b"a", b"c"])[KINDS], np.array([1, 0, 2])[KINDS].tolist(),
     ["a", "b", "c"]),
    ("digits as text", np.array(["10", "9", "8"])[KINDS], np.array([2, 1, 0])[KINDS].tolist(),
     ["8", "9", "10"]),
    ("signs", np.where(KINDS > 0, 1, -1), (KINDS > 0).astype(int).tolist(), ["-1", "1"]),
    ("truth", KINDS > 0, (KINDS > 0).astype(int).tolist(), []),
    ("one-hot", np.eye(3)[KINDS], KINDS.tolist(), []),
    ("some unknown", np.where(KINDS == 2, -1, KINDS), np.where(KINDS == 2, -1, KINDS).tolist(), []),
    ("some NaN", np.where(KINDS == 2, np.nan, KINDS), np.where(KINDS == 2, -1, KINDS).tolist(), []),
    ("some empty", np.array(["b", "a", ""])[KINDS], np.array([1, 0, -1])[KINDS].tolist(),
     ["a", "b"]),
    ("one-hot or none", np.eye(3)[KINDS][:, :2], np.where(KINDS == 2, -1, KINDS).tolist(), []),
]  # fmt: skip


@pytest.mark.parametrize(("how", "stored", "numbers", "classes"), STORED)
def test_labels(
    how: str, stored: np.ndarray, numbers: list[int], classes: list[str], tmp_path: Path
) -> None:
    dataset = saved(tmp_path, images=IMAGES, labels=stored)
    assert labels_by_row(dataset) == numbers, how
    assert list(dataset.classes) == classes
    assert all(f"{name} = {k}" in told(dataset) for k, name in enumerate(classes))


NO_CLASSES: list[tuple[np.ndarray, str]] = [
    (np.linspace(0, 1, COUNT), "its values are not whole numbers"),
    (np.full(COUNT, np.inf), "its values are not whole numbers"),
    (np.eye(3)[KINDS] + np.eye(3)[::-1][KINDS], "3 values per image"),
    (np.minimum(np.eye(3)[KINDS] + np.eye(3)[(KINDS + 1) % 3], 1), "several classes"),
    (np.full(COUNT, None, object), "it holds Python objects"),
    (np.full(COUNT, 1j), "its values are complex128"),
]


@pytest.mark.parametrize(("stored", "reason"), NO_CLASSES)
def test_what_is_not_a_class_is_reported(stored: np.ndarray, reason: str, tmp_path: Path) -> None:
    dataset = saved(tmp_path, images=IMAGES, labels=stored)
    assert set(labels_by_row(dataset)) == {-1}
    assert "labels is not used as labels" in told(dataset) and reason in told(dataset)


TRAIN, VALIDATION, TEST = slice(0, 24), slice(24, 32), slice(32, 40)
NAMES: list[tuple[str, tuple[str, str, str], tuple[str, str, str] | None]] = [
    ("plain", ("train", "validation", "test"), ("train_labels", "validation_labels", "y_test")),
    ("MedMNIST", ("train_images", "val_images", "test_images"),
     ("train_labels", "val_labels", "test_labels")),
    ("Keras", ("x_train", "x_val", "x_test"), ("y_train", "y_val", "y_test")),
    ("capitals", ("X_train", "X_valid", "X_test"), ("Y_train", "Y_valid", "Y_test")),
    ("joined", ("Xtrain", "Xdev", "Xtest"), ("ytrain", "ydev", "ytest")),
    ("camel", ("trainData", "valData", "testData"),
     ("trainTargets", "valTargets", "testTargets")),
    ("without labels", ("training", "valid", "testing"), None),
]  # fmt: skip


@pytest.mark.parametrize(("whose", "images", "labels"), NAMES)
@pytest.mark.parametrize("has_validation", [True, False])
def test_usual_names_of_parts(
    whose: str,
    images: tuple[str, str, str],
    labels: tuple[str, str, str] | None,
    has_validation: bool,
    tmp_path: Path,
) -> None:
    parts = [TRAIN, VALIDATION, TEST] if has_validation else [TRAIN, TEST]
    picked = [0, 1, 2] if has_validation else [0, 2]
    arrays = {images[k]: IMAGES[part] for k, part in zip(picked, parts, strict=True)}
    if labels:
        arrays |= {labels[k]: KINDS[part] for k, part in zip(picked, parts, strict=True)}
    dataset = saved(tmp_path, **arrays, mask=np.zeros(3))
    expected = [24, 8, 8] if has_validation else [22, 2, 8]
    assert [len(part) for part in dataset.parts.values()] == expected, whose
    assert torch.equal(dataset.test.pixels[:, 0], torch.from_numpy(IMAGES[TEST]))
    if labels:
        assert dataset.test.labels.tolist() == KINDS[TEST].tolist()
    assert "not used: mask" in told(dataset)


@pytest.mark.parametrize(
    ("images", "labels"),
    [("X", "y"), ("images", "targets"), ("data", "target"), ("image", "label"), ("arr_0", "arr_1"),
     ("faces", "y")],
)  # fmt: skip
def test_usual_names_of_one_set(images: str, labels: str, tmp_path: Path) -> None:
    dataset = saved(tmp_path, **{images: IMAGES, labels: KINDS})
    assert labels_by_row(dataset) == KINDS.tolist()
    assert f"{images} (40x5x6 uint8)" in told(dataset) and f"labels: {labels}" in told(dataset)


def test_parts_share_the_numbers_of_classes(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {"x_train": IMAGES[TRAIN], "x_test": IMAGES[TEST]}
    dataset = saved(tmp_path, **arrays, y_train=np.full(24, "b"), y_test=np.tile(["a", "b"], 4))
    assert list(dataset.classes) == ["a", "b"]
    assert set(dataset.train.labels.tolist()) == {1}
    assert dataset.test.labels.tolist() == [0, 1] * 4


def test_classes_are_matched_by_name() -> None:
    labels = {"train": torch.tensor([0, 1, 2, -1]), "test": torch.tensor([2])}
    found, unknown, missing = match_classes(labels, ["B", "C", "D"], ["A", "B", "C"])
    assert {part: each.tolist() for part, each in found.items()} == {
        "train": [1, 2, -1, -1],
        "test": [-1],
    }
    assert (unknown, missing) == (["D"], ["A"])


def test_values_that_floats_cannot_tell_apart_are_no_classes(tmp_path: Path) -> None:
    labels = np.uint64(2**63) + np.arange(30, dtype=np.uint64) % np.uint64(3)
    np.savez(tmp_path / "own.npz", x=np.zeros((30, 4, 4), np.uint8), y=labels)
    found = array.load(str(tmp_path / "own.npz"))
    assert (found.train.labels == -1).all()
    assert any("y is not used as labels: its values are too large" in each for each in found.notes)
