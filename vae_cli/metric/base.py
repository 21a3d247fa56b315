"""The interface of metrics, and their evaluation over a split."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from vae_cli import noise
from vae_cli.data.batch import Batch
from vae_cli.model.base import LatentVariableModel

Totals = dict[str, Tensor]


class Metric(ABC):
    """A number, or several, from sums over images.

    Attributes:
        is_costly: Whether it is left for the end of training.
    """

    is_costly: bool

    @abstractmethod
    def sums(self, model: LatentVariableModel, batch: Batch) -> Totals:
        """What adds up over the images of a split, by name, in any shapes."""

    @abstractmethod
    def result(self, totals: Totals, count: int) -> dict[str, float]:
        """The numbers, by name, from the totals over ``count`` images."""


def moments(value: Tensor) -> Tensor:
    """The sums of ``(B,)`` values and of their squares, shape ``(2,)``."""
    value = value.double()
    return torch.stack([value.sum(), value.square().sum()])


def mean_and_error(name: str, total: Tensor, count: int) -> dict[str, float]:
    """The mean over images and its standard error (over images), from their ``moments``."""
    mean, square = (total / count).tolist()
    variance = max(square - mean**2, 0.0) * count / max(count - 1, 1)
    return {name: mean, f"{name}_se": (variance / count) ** 0.5}


class Evaluation:
    """Metrics of a model over a split, batch by batch.

    The noise of a batch is a function of (seed, split, batch number, metric), so the numbers
    depend neither on which other metrics are asked for nor on which process has which batch.

    Args:
        metrics: By the name under which the configuration has them.
        seed: Of the noise.
        split: Name of the split.
    """

    def __init__(self, metrics: Mapping[str, Metric], seed: int, split: str) -> None:
        self.metrics, self.stream = metrics, ("evaluation", seed, split)
        self.totals = {name: Totals() for name in metrics}
        self.count = 0

    @torch.no_grad()
    def add(self, model: LatentVariableModel, number: int, batch: Batch) -> None:
        """Counts in batch ``number`` of the split."""
        for name, metric in self.metrics.items():
            noise.seed_draws(batch.x.device, *self.stream, number, name)
            accumulate(self.totals[name], metric.sums(model, batch))
        self.count += len(batch.x)

    def state(self) -> tuple[int, dict[str, Totals]]:
        """What another process needs to count these batches as its own."""
        return self.count, self.totals

    def results(self, states: Iterable[tuple[int, dict[str, Totals]]]) -> dict[str, float]:
        """The numbers of all metrics.

        Args:
            states: The ``state`` of every process, this one's included.
        """
        count, totals = 0, {name: Totals() for name in self.metrics}
        for part_count, part in states:
            count += part_count
            for name, sums in part.items():
                accumulate(totals[name], sums)
        return {
            key: number
            for name, metric in self.metrics.items()
            for key, number in metric.result(totals[name], count).items()
        }


def accumulate(totals: Totals, sums: Totals) -> None:
    """Adds sums to totals, in float64: over a whole split float32 would lose digits."""
    for key, value in sums.items():
        totals[key] = totals.get(key, 0) + value.double()
