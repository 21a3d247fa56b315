"""Batches in the order that a seed and an epoch give, fetched in memory or by workers."""

import os
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from vae_cli import noise
from vae_cli.data.batch import Batch
from vae_cli.data.split import Split
from vae_cli.errors import VaeCliError
from vae_cli.training.shuffle import Shuffle

MAX_WORKERS = 8


class Key(NamedTuple):
    """Which batch to fetch."""

    epoch: int
    number: int  # of the batch in its epoch
    index: Tensor  # type: ignore[assignment]  # (B,): positions of its images


class TrainingOrder:
    """The rest of an epoch's batches: this process's share of each global batch, shuffled.

    The order is a function of (seed, epoch) alone, and where it starts one of the step: a run that
    was stopped resumes with exactly the batch that was next.

    Args:
        shuffle: Fills an epoch's batches.
        seed: Of the run: a number, or several.
        rank: Which process.
        device: Where the positions are wanted.
        step: Tells the optimizer step.
    """

    def __init__(
        self, shuffle: Shuffle, seed: object, rank: int, device: torch.device,
        step: Callable[[], int],
    ) -> None:  # fmt: skip
        self.shuffle, self.seed, self.rank = shuffle, seed, rank
        self.device, self.step = device, step

    def __len__(self) -> int:
        return len(self.shuffle)

    def __iter__(self) -> Iterator[Key]:
        epoch, start = divmod(self.step(), len(self))
        stream = noise.generator("cpu", "order", self.seed, epoch)
        batches = self.shuffle(stream)[:, self.rank].to(self.device)
        for number, index in enumerate(batches.unbind()):
            if number >= start:
                yield Key(epoch, number, index)


class EvaluationOrder:
    """Whole batches of a split in order, shared out between the processes.

    All processes get equally many keys, or Lightning would leave some out of the evaluation; a
    process that has fewer batches gets empty ones at the end.

    Args:
        count: Number of images.
        batch_size: Images in a batch.
        rank, world_size: Which process of how many.
        device: Where the positions are wanted.
        limit: Number of batches at most; None takes all.
    """

    def __init__(
        self, count: int, batch_size: int, rank: int, world_size: int, device: torch.device,
        limit: int | None = None,
    ) -> None:  # fmt: skip
        batches = list(torch.arange(count, device=device).split(batch_size)[:limit])
        batches += [batches[0][:0]] * (-len(batches) % world_size)
        self.keys = [Key(0, n, b) for n, b in enumerate(batches)][rank::world_size]

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.keys)


Order = TrainingOrder | EvaluationOrder


class TrainingFetch:
    """Fetches a training batch; its noise is a function of (seed, epoch, number, rank)."""

    def __init__(self, split: Split, seed: object, rank: int) -> None:
        self.split, self.seed, self.rank = split, seed, rank

    def __call__(self, key: Key) -> Batch:
        """The batch of a key."""
        fresh = None
        if self.split.draws_anew:
            stream = ("pixels", self.seed, key.epoch, key.number, self.rank)
            fresh = noise.generator(key.index.device, *stream)
        return self.split.batch(key.index, fresh)


class EvaluationFetch:
    """Fetches a batch with its number in the split, which its noise depends on."""

    def __init__(self, split: Split) -> None:
        self.split = split

    def __call__(self, key: Key) -> tuple[int, Batch | None]:
        """The batch of a key, None for an empty one."""
        return key.number, self.split.batch(key.index) if len(key.index) else None


class MemoryLoader:
    """Batches gathered in the training process itself: nothing to wait for."""

    def __init__(self, keys: Order, fetch: Callable[[Key], Any]) -> None:
        self.keys, self.fetch = keys, fetch

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[Any]:
        return map(self.fetch, self.keys)


class _Fetched(TorchDataset):
    def __init__(self, fetch: Callable[[Key], Any]) -> None:
        self.fetch = fetch

    def __getitem__(self, key: Key) -> Any:
        try:
            return self.fetch(key)
        except VaeCliError as error:
            return _Failure(str(error))


class _Failure(NamedTuple):
    """What a worker could not do; torch would raise a worker's error with all its traceback."""

    message: str


class WorkerLoader(DataLoader):
    """Batches from workers, whose errors are those of this process."""

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        for batch in super().__iter__():
            if isinstance(batch, _Failure):
                raise VaeCliError(batch.message)
            yield batch


def make_loader(
    keys: Order, fetch: Callable[[Key], Any], in_memory: bool
) -> MemoryLoader | WorkerLoader:
    """A loader of whole batches; images that are not in memory are decoded by workers."""
    if in_memory:
        return MemoryLoader(keys, fetch)
    return WorkerLoader(
        _Fetched(fetch),
        sampler=keys,
        batch_size=None,
        num_workers=min(MAX_WORKERS, os.cpu_count() or 1),
        pin_memory=torch.cuda.is_available(),
    )


class EndlessLoader:
    """Epoch after epoch in one iterator, handed out as often as it is asked for.

    Lightning's loop costs a quarter of a millisecond an item, as much as a small model's step on
    a GPU. So what it takes for a batch is all batches to come, of which a training step uses as
    many as there are steps until the next validation.
    """

    def __init__(self, epoch: MemoryLoader | DataLoader) -> None:
        self.epoch = epoch

    def __iter__(self) -> Iterator[Iterator[Batch]]:
        return repeat(chain.from_iterable(repeat(self.epoch)))
