from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat

from vae_cli.data import array
from vae_cli.data.dataset import Dataset
from vae_cli.example import example_kind

GENERATOR = np.random.default_rng(0)
BYTES = GENERATOR.integers(0, 256, (40, 5, 6), np.uint8)
BITS = BYTES > 127
FLOATS = GENERATOR.normal(size=(40, 5, 6))
LABELS = np.arange(40) % 3


def three(dataset: Dataset) -> list[torch.Tensor]:
    return [part.pixels for part in (dataset.train, dataset.validation, dataset.test)]


@pytest.mark.parametrize(
    ("values", "dtype", "levels"),
    [
        (BYTES, torch.uint8, 256),
        (BYTES.astype(np.int64), torch.uint8, 256),
        (BITS, torch.uint8, 2),
        (BITS.astype(np.int32), torch.uint8, 2),
        (FLOATS, torch.float32, None),
        (FLOATS.astype(np.float32), torch.float32, None),
    ],
)
@pytest.mark.parametrize("suffix", ["npy", "npz", "mat"])
def test_values(
    values: np.ndarray, dtype: torch.dtype, levels: int | None, suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"images.{suffix}"
    writers = {
        "npy": lambda: np.save(path, values),
        "npz": lambda: np.savez(path, images=values, labels=LABELS),
        "mat": lambda: savemat(path, {"images": values, "labels": LABELS}),
    }
    writers[suffix]()
    dataset = array.load(str(path))
    assert [len(part) for part in three(dataset)] == [32, 4, 4]
    assert {(part.dtype, part.shape[1:]) for part in three(dataset)} == {(dtype, (1, 5, 6))}
    assert dataset.levels == levels
    # The images of the file, each once, with their own labels.
    whole = torch.from_numpy(values.astype(np.float32)).flatten(1)
    found = torch.cat(three(dataset)).float().flatten(1)
    nearest = torch.cdist(found, whole).argmin(1)
    assert sorted(nearest.tolist()) == list(range(40))
    labels = torch.cat([dataset.train.labels, dataset.validation.labels, dataset.test.labels])
    assert labels.tolist() == ([-1] * 40 if suffix == "npy" else LABELS[nearest].tolist())


@pytest.mark.parametrize(
    ("stored", "option", "shape"),
    [
        ((40, 5, 6), None, (1, 5, 6)),
        ((40, 3, 5, 6), None, (3, 5, 6)),
        ((40, 5, 6, 3), None, (3, 5, 6)),
        ((40, 5, 6, 1), None, (1, 5, 6)),
        ((40, 2, 5, 6), None, (2, 5, 6)),
        ((40, 3, 5, 3), [3, 3, 5], (3, 3, 5)),  # could be either: the shape decides
        ((40, 16, 16, 2), None, (2, 16, 16)),  # the channels are the shortest axis
        ((16, 16, 3, 40), None, (3, 16, 16)),  # as in the files of SVHN
        ((4, 4, 40), None, (1, 4, 4)),
        ((40, 1, 4, 4), None, (1, 4, 4)),  # square
        ((40, 30), [1, 5, 6], (1, 5, 6)),
        ((30, 40), [1, 5, 6], (1, 5, 6)),  # images in columns
    ],
)
def test_shapes(
    stored: tuple[int, ...], option: list[int] | None, shape: tuple[int, ...], tmp_path: Path
) -> None:
    np.save(tmp_path / "images.npy", np.zeros(stored))
    dataset = array.load(str(tmp_path / "images.npy"), shape=option)
    assert [tuple(part.shape) for part in three(dataset)] == [(n, *shape) for n in (32, 4, 4)]


@pytest.mark.parametrize("stored", ["rows", "columns"])
@pytest.mark.parametrize("shape", [None, [3]])
def test_two_axes_are_vectors(stored: str, shape: list[int] | None, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(40, 3))
    file = tmp_path / "table.npz"
    np.savez(file, x=rows if stored == "rows" else rows.T, y=LABELS)
    dataset = array.load(str(file), shape=shape)
    assert dataset.train.shape == (3,) and example_kind(dataset.train.shape) == "vector"
    found = torch.cat(three(dataset)).numpy()
    np.testing.assert_array_equal(np.sort(found, 0), np.sort(rows.astype(np.float32), 0))
    assert any("read as vectors" in note for note in dataset.notes)


def test_vectors_that_may_be_images_are_pointed_out(tmp_path: Path) -> None:
    np.save(tmp_path / "flat.npy", np.zeros((40, 64)))
    notes = array.load(str(tmp_path / "flat.npy")).notes
    assert any("set data.shape=[1,8,8]" in note for note in notes)


def test_labels_tell_which_axis_counts_images(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=np.zeros((20, 20, 30)), y=np.arange(30) % 2)
    assert array.load(str(tmp_path / "a.npz")).train.shape == (1, 20, 20)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC", "HWCN"])
def test_the_user_decides_which_axis_is_which(layout: str, tmp_path: Path) -> None:
    stored = GENERATOR.integers(0, 256, (40, 3, 5, 6), np.uint8)
    np.save(tmp_path / "a.npy", stored.transpose(["NCHW".index(axis) for axis in layout]))
    dataset = array.load(str(tmp_path / "a.npy"), layout=layout)
    rows = torch.from_numpy(np.concatenate([part.names for part in dataset.parts.values()]))
    assert torch.equal(torch.cat(three(dataset)), torch.from_numpy(stored)[rows])


def test_scale_divides(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", BYTES.astype(float))
    np.save(tmp_path / "b.npy", BYTES.astype(np.uint16) * 257)
    one, other = (
        array.load(str(tmp_path / name), scale=scale)
        for name, scale in (("a.npy", 255), ("b.npy", 65535))
    )
    assert one.levels is None and 0 <= one.train.pixels.min() <= one.train.pixels.max() <= 1
    assert torch.allclose(one.train.pixels, other.train.pixels)


def test_channels_that_come_last_are_moved(tmp_path: Path) -> None:
    stored = GENERATOR.integers(0, 256, (3, 5, 6, 3), np.uint8)
    np.savez(tmp_path / "a.npz", train=stored, validation=stored, test=stored)
    moved = torch.from_numpy(stored).permute(0, 3, 1, 2)
    assert all(torch.equal(part, moved) for part in three(array.load(str(tmp_path / "a.npz"))))


def test_columns_are_read_in_order(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"data": BYTES.reshape(40, 30).T, "testdata": BYTES[:9, 0].T})
    np.savez(tmp_path / "b.npz", data=BYTES.reshape(40, 30).T, testdata=BYTES.reshape(40, 30)[:9].T)
    dataset = array.load(str(tmp_path / "b.npz"), "data", "testdata", shape=[1, 5, 6])
    assert [len(part) for part in three(dataset)] == [36, 4, 9]
    assert torch.equal(dataset.test.pixels[:, 0], torch.from_numpy(BYTES[:9]))
    dataset = array.load(str(tmp_path / "a.mat"), "data", shape=[1, 5, 6])
    assert [len(part) for part in three(dataset)] == [32, 4, 4]


def test_parts_of_the_file_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "images.npz"
    parts = {"train": BYTES[:30], "validation": BYTES[30:35], "test": BYTES[35:]}
    np.savez(path, **parts, test_labels=LABELS[35:])
    dataset = array.load(str(path))
    for name, pixels in zip(parts, three(dataset), strict=True):
        assert torch.equal(pixels[:, 0], torch.from_numpy(parts[name]))
    assert dataset.test.labels.tolist() == LABELS[35:].tolist()
    assert set(dataset.train.labels.tolist()) == {-1}


def test_validation_is_put_aside_from_train(tmp_path: Path) -> None:
    path = tmp_path / "images.npz"
    np.savez(path, train=BYTES[:30], test=BYTES[30:])
    dataset = array.load(str(path), validation=0.2)
    assert [len(part) for part in three(dataset)] == [24, 6, 10]
    assert torch.equal(dataset.test.pixels[:, 0], torch.from_numpy(BYTES[30:]))
    assert dataset.pooled == ("train", "validation")


def test_seed_decides_the_split(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", BYTES)
    first, again, other = (array.load(str(tmp_path / "a.npy"), seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.test.pixels, again.test.pixels)
    assert not torch.equal(first.test.pixels, other.test.pixels)
