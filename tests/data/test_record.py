"""What a run remembers of its data, and where images go that it knows."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from vae_cli.data.arrangement import arrange, describe_trained, pool_of
from vae_cli.data.dataset import Dataset, StoredImages
from vae_cli.data.parts import PARTS, three_parts
from vae_cli.data.record import DataChanges, Record, record_of, with_known_classes

GENERATOR = np.random.default_rng(0)
PIXELS = GENERATOR.integers(0, 256, (100, 1, 3, 3), np.uint8)
LABELS = np.arange(100) % 3
FRACTIONS = {"validation": 0.2, "test": 0.2}


def dataset(pixels: np.ndarray, labels: np.ndarray = LABELS, own_test: int = 0) -> Dataset:
    """Split by a seed; the last ``own_test`` images are a test part of their own."""
    stored = StoredImages(torch.from_numpy(pixels), torch.from_numpy(labels))
    cut = len(pixels) - own_test
    given = {"train": stored.subset(torch.arange(cut))}
    if own_test:
        given["test"] = stored.subset(torch.arange(cut, len(pixels)))
    parted = three_parts(given, FRACTIONS, seed=0)
    return Dataset(*parted[:3], levels=256, pooled=parted.pooled)


def appended(pixels: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    more = GENERATOR.integers(0, 256, (30, 1, 3, 3), np.uint8)
    return np.concatenate([pixels, more]), np.concatenate([labels, np.zeros(30, int)])


def removed(pixels: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return pixels[::2], labels[::2]


def reordered(pixels: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = GENERATOR.permutation(100)
    return pixels[order], labels[order]


def edited(pixels: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pixels = pixels.copy()
    pixels[::7, 0, 0, 0] ^= 1
    return pixels, labels


def repeated(pixels: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([pixels, pixels]), np.concatenate([labels, labels])


def relabelled(pixels: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return pixels, np.where(np.arange(100) < 5, 1, labels)


def unchanged(pixels: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return pixels, labels


CHANGES: dict[Callable[..., tuple[np.ndarray, np.ndarray]], DataChanges] = {
    unchanged: DataChanges(),
    reordered: DataChanges(),
    appended: DataChanges(added=30),
    removed: DataChanges(removed=50),
    edited: DataChanges(changed=15),
    repeated: DataChanges(added=100),
    relabelled: DataChanges(relabelled=3),
}


def rows(images: StoredImages) -> set[bytes]:
    return {pixels.tobytes() for pixels in images.pixels.numpy()}


@pytest.mark.parametrize("change", CHANGES)
def test_known_images_stay_in_their_part(
    change: Callable[..., tuple[np.ndarray, np.ndarray]],
) -> None:
    before = dataset(PIXELS)
    now, difference = arrange(dataset(*change(PIXELS, LABELS)), record_of(before))
    assert difference == CHANGES[change]
    assert bool(difference) is any(CHANGES[change])
    trained = rows(before.train)
    for part in ("validation", "test"):
        assert not rows(now.parts[part]) & trained
        if change in (unchanged, reordered, relabelled):
            assert rows(now.parts[part]) == rows(before.parts[part])
    if not difference:
        assert torch.equal(now.train.pixels, before.train.pixels)
        assert torch.equal(now.train.labels, before.train.labels)


def test_an_edited_image_stays_where_its_name_was() -> None:
    before = dataset(PIXELS)
    now, _ = arrange(dataset(*edited(PIXELS, LABELS)), record_of(before))
    for part in PARTS:
        assert set(now.parts[part].names) == set(before.parts[part].names)


def test_what_was_trained_on_once_is_not_tested_on() -> None:
    first = record_of(dataset(PIXELS))
    fewer, _ = arrange(dataset(*removed(PIXELS, LABELS)), first)
    again, difference = arrange(dataset(PIXELS), record_of(fewer, first))
    assert difference.added == 50
    assert not np.isin(again.test.digests(), first.digests["train"]).any()


def test_an_image_of_another_part_stays_out_of_the_others() -> None:
    before = dataset(PIXELS)
    copied = PIXELS.copy()
    copied[before.test.names] = PIXELS[before.train.names[:20]]  # the names of test images
    now, _ = arrange(dataset(copied), record_of(before))
    assert not rows(now.test) & rows(before.train)
    twice = dataset(np.concatenate([PIXELS, PIXELS[before.test.names]]), np.zeros(120, int))
    now, _ = arrange(twice, record_of(before))
    assert len(now.test) == 40 and rows(now.test) == rows(before.test)


def test_a_test_image_that_is_trained_on_is_reported() -> None:
    before = dataset(PIXELS, own_test=30)
    moved = PIXELS.copy()
    moved[99] = before.train.pixels[0].numpy()
    now, difference = arrange(dataset(moved, own_test=30), record_of(before))
    assert difference == DataChanges(changed=1)
    told = describe_trained(record_of(now, record_of(before)))
    assert told == ["1 of 30 test images are identical to a training image"]


def test_names_belong_to_one_part() -> None:
    before = dataset(PIXELS, own_test=30)
    other = np.random.default_rng(1).integers(0, 256, (50, 1, 3, 3), np.uint8)
    now, difference = arrange(dataset(other, np.zeros(50, int)), record_of(before))
    assert difference.changed == 0 and [len(p) for p in now.parts.values()] == [30, 10, 10]


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_digests_notice_every_change(kind: type) -> None:
    images = GENERATOR.integers(0, 2, (200, 1, 8, 8)).astype(kind)
    flipped = images.copy()
    if kind is np.uint8:
        flipped[..., 7] ^= 128  # one bit of each word
    else:
        flipped[..., ::2] *= -1
        flipped[..., ::2] -= flipped[..., ::2] == 0
    one, other = (StoredImages(torch.from_numpy(each)).digests() for each in (images, flipped))
    assert not (one == other).any() and len(np.unique(one)) == 200


def test_a_record_is_read_as_it_was_written() -> None:
    record = record_of(replace(dataset(PIXELS), classes=["é", "b", "c"]))
    again = Record.from_arrays(record.to_arrays())
    assert again.classes == record.classes and np.array_equal(again.trained, record.trained)
    for part in PARTS:
        assert np.array_equal(again.digests[part], record.digests[part])
        assert np.array_equal(again.names[part], record.names[part])


ARRAYS = record_of(dataset(PIXELS)).to_arrays()


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {**ARRAYS, "more": np.zeros(3)},
        {**ARRAYS, "train_labels": ARRAYS["train_labels"][1:]},
        {**ARRAYS, "test_digests": ARRAYS["test_digests"].astype(float)},
        {**ARRAYS, "trained": ARRAYS["trained"][None]},
        {**ARRAYS, "classes": np.zeros(2)},
        {**ARRAYS, "classes": np.full(200_000, "")},
        {**ARRAYS, "train_labels": ARRAYS["train_labels"] + 10**9},
        {**ARRAYS, "train_labels": ARRAYS["train_labels"] - 5},
    ],
)
def test_other_arrays_are_no_record(arrays: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match=r"it does not hold|no set of so many"):
        Record.from_arrays(arrays)


@pytest.mark.parametrize(
    ("known", "names", "labels", "notes"),
    [
        (["A", "B", "C"], ["B", "C"], [1, 2], ["missing here: A"]),
        (["A", "B"], ["0", "A", "B"], [-1, 0, 1], ["does not know count as unlabelled: 0"]),
        (["0", "3", "5"], [], [0, -1, -1], ["1, 2", "missing here: 3, 5"]),
        ([], ["0", "2", "1"], [0, 2, 1], ["numbers that they have in the run"]),
    ],
)
def test_classes_are_matched_by_name(
    known: list[str], names: list[str], labels: list[int], notes: list[str]
) -> None:
    run = record_of(replace(dataset(PIXELS), classes=known))
    given = replace(dataset(PIXELS, LABELS % max(len(names), 3)), classes=names)
    matched = with_known_classes(given, run)
    expected = torch.tensor(labels)[given.train.labels.clamp_max(len(labels) - 1)]
    mask = given.train.labels < len(labels)
    assert torch.equal(matched.train.labels[mask], expected[mask])
    assert list(matched.classes) == known
    assert all(note in "; ".join(matched.notes) for note in notes)


def test_a_pool_is_whole_and_in_order() -> None:
    pool = pool_of(dataset(PIXELS), "test")
    assert np.array_equal(pool.pixels.numpy(), PIXELS)
    assert len(pool_of(dataset(PIXELS, own_test=30), "test")) == 30
