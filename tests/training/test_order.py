"""Which images are in which batch."""

import pytest
import torch

from vae_cli.training.loader import EvaluationOrder, TrainingOrder
from vae_cli.training.shuffle import LabelledAlone, LabelledFirst, make_shuffle

CPU = torch.device("cpu")
COUNT = 103
LABELS = torch.full((COUNT,), -1)
LABELS[5:40:5] = 0  # seven of them


def order_at(step: int, seed: int = 0, rank: int = 0, processes: int = 1) -> TrainingOrder:
    return TrainingOrder(make_shuffle(LABELS, None, 12, processes), seed, rank, CPU, lambda: step)


def training(seed: int, epoch: int, rank: int = 0, processes: int = 1) -> list[torch.Tensor]:
    keys = list(order_at(8 * epoch, seed, rank, processes))
    assert [key.number for key in keys] == list(range(8))
    assert all(key.epoch == epoch for key in keys)
    return [key.index for key in keys]


def test_each_image_once_an_epoch() -> None:
    seen = torch.cat(training(0, 0))
    assert len(seen) == 96 == len(seen.unique())
    assert seen.min() >= 0 and seen.max() < 103


def test_order_is_what_it_was() -> None:  # or runs of other versions would not resume alike
    assert training(0, 1)[0].tolist() == [49, 41, 62, 76, 9, 10, 61, 47, 72, 100, 93, 11]


def test_order_is_a_function_of_seed_and_epoch() -> None:
    def flat(seed: int, epoch: int) -> list[int]:
        return torch.cat(training(seed, epoch)).tolist()

    assert flat(1, 2) == flat(1, 2)
    assert len({tuple(flat(s, e)) for s in range(3) for e in range(3)}) == 9


@pytest.mark.parametrize("start", [0, 1, 7])
def test_starts_at_the_step(start: int) -> None:
    whole, rest = training(0, 2), list(order_at(16 + start))
    assert [key.number for key in rest] == list(range(start, 8))
    assert all(torch.equal(key.index, whole[key.number]) for key in rest)


@pytest.mark.parametrize("processes", [2, 3, 4])
def test_processes_share_the_batches_of_one(processes: int) -> None:
    whole = training(5, 1)
    shares = [training(5, 1, rank, processes) for rank in range(processes)]
    for batch, *parts in zip(whole, *shares, strict=True):
        assert torch.equal(torch.cat(parts), batch)  # hence disjoint


def labelled_first(
    fraction: float,
    processes: int = 1,
    labels: torch.Tensor = LABELS,
    seed: int = 0,
    epoch: int = 0,
) -> torch.Tensor:
    """The positions of an epoch, ``(batches, processes, share)``."""
    shuffle = make_shuffle(labels, fraction, 12, processes)
    start = epoch * len(shuffle)
    orders = [TrainingOrder(shuffle, seed, rank, CPU, lambda: start) for rank in range(processes)]
    return torch.stack([torch.stack([key.index for key in order]) for order in orders], dim=1)


@pytest.mark.parametrize("processes", [1, 2, 3, 4])
@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 0.7, 1.0])
def test_each_share_has_its_labelled_images_first(fraction: float, processes: int) -> None:
    share = 12 // processes
    labelled = min(max(round(fraction * share), 1), share - 1)
    batches = labelled_first(fraction, processes)
    assert batches.shape == (8, processes, share)
    expected = torch.arange(share).expand_as(batches) < labelled
    assert torch.equal(LABELS[batches] == 0, expected)


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_both_kinds_are_gone_through_evenly(fraction: float) -> None:
    batches = labelled_first(fraction, 2).flatten()
    seen = batches.bincount(minlength=COUNT)
    for kind in (LABELS == 0, LABELS == -1):
        assert seen[kind].max() - seen[kind].min() <= 1
    assert seen[LABELS == -1].max() == 1  # hence processes have none in common


def test_each_order_ends_before_the_next_begins() -> None:
    count = 7
    labelled = labelled_first(0.5)[..., :6].flatten()
    rounds = labelled[: len(labelled) // count * count].view(-1, count).sort().values
    assert torch.equal(rounds, (LABELS == 0).nonzero().flatten().expand_as(rounds))


def test_processes_have_no_labelled_image_in_common() -> None:
    labels = torch.where(torch.arange(COUNT) < 50, 0, -1)
    first = labelled_first(0.5, 3, labels)[:8, :, :2]  # 48 of them: less than one order
    assert len(first.unique()) == first.numel()


def test_all_labelled() -> None:
    batches = labelled_first(0.5, 2, torch.zeros(COUNT, dtype=torch.int64))
    assert batches.shape == (8, 2, 6) and len(batches.unique()) == 96


def test_labelled_first_is_a_function_of_seed_and_epoch() -> None:
    epochs = {(s, e): labelled_first(0.5, seed=s, epoch=e) for s in range(3) for e in range(3)}
    assert all(torch.equal(labelled_first(0.5, seed=s, epoch=e), b) for (s, e), b in epochs.items())
    assert len({tuple(batches.flatten().tolist()) for batches in epochs.values()}) == 9


@pytest.mark.parametrize("start", [0, 1, 7])
def test_labelled_first_starts_at_the_step(start: int) -> None:
    whole = labelled_first(0.5, 2, epoch=2)
    shuffle = LabelledFirst(LABELS, 0.5, 12, 2)
    rest = list(TrainingOrder(shuffle, 0, 1, CPU, lambda: 16 + start))
    assert [key.number for key in rest] == list(range(start, 8))
    assert all(torch.equal(key.index, whole[key.number, 1]) for key in rest)


@pytest.mark.parametrize("count", [1, 9, 10, 11, 95])
@pytest.mark.parametrize("processes", [1, 2, 3])
def test_evaluation_sees_each_image_once(count: int, processes: int) -> None:
    orders = [EvaluationOrder(count, 10, rank, processes, CPU) for rank in range(processes)]
    assert len({len(order) for order in orders}) == 1
    keys = [key for order in orders for key in order]
    assert sorted(torch.cat([key.index for key in keys]).tolist()) == list(range(count))
    batches = {key.number: key.index.tolist() for key in keys if len(key.index)}
    alone = {key.number: key.index.tolist() for key in EvaluationOrder(count, 10, 0, 1, CPU)}
    assert batches == alone


def test_evaluation_limit() -> None:
    assert [key.number for key in EvaluationOrder(95, 10, 0, 1, CPU, limit=2)] == [0, 1]


@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
def test_labelled_images_alone(batch_size: int) -> None:
    shuffle = LabelledAlone(LABELS, batch_size, world_size=1)
    size = min(batch_size, 7)
    assert len(shuffle) == 7 // size
    seen: set[int] = set()
    for seed in range(20):
        batches = shuffle(torch.Generator().manual_seed(seed))
        assert batches.shape == (len(shuffle), 1, size)
        assert len(batches.unique()) == batches.numel()
        assert (LABELS[batches] == 0).all()
        seen |= set(batches.flatten().tolist())
    assert len(seen) == 7
