"""Which images are in which batch."""

import pytest
import torch

from vae_cli.training.loader import EvaluationOrder, TrainingOrder

CPU = torch.device("cpu")


def order_at(step: int, seed: int = 0, rank: int = 0, processes: int = 1) -> TrainingOrder:
    return TrainingOrder(103, 12, seed, rank, processes, CPU, lambda: step)


def training(seed: int, epoch: int, rank: int = 0, processes: int = 1) -> list[torch.Tensor]:
    keys = list(order_at(8 * epoch, seed, rank, processes))
    assert [key.number for key in keys] == list(range(8))
    assert all(key.epoch == epoch for key in keys)
    return [key.index for key in keys]


def test_each_image_once_an_epoch() -> None:
    seen = torch.cat(training(0, 0))
    assert len(seen) == 96 == len(seen.unique())
    assert seen.min() >= 0 and seen.max() < 103


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
