"""The interface of metrics, and their evaluation over a split."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor
from torch.distributions import Distribution

from vae_cli import noise
from vae_cli.data.batch import Batch
from vae_cli.errors import InvalidOption
from vae_cli.model.base import Model
from vae_cli.model.scope import ForModels, M
from vae_cli.number import Number

Value = float | bool | None  # None: it exists, and is not known


class Moments(NamedTuple):
    """Of a quantity over the images of a split."""

    mean: Tensor  # (*), float64
    variance: Tensor  # (*), float64, unbiased; 0 of a single image
    images: int


class Metric(ForModels[M], ABC):
    """A number, or several, from values that each image has for itself.

    Attributes:
        is_costly: Whether it is left for the end of training.
        declares: What its numbers are; tables show no others.
        rivals: Numbers that other metrics measure in their way, and of which there can be one.
    """

    is_costly: bool
    declares: tuple[Number, ...] = ()
    rivals: tuple[str, ...] = ()

    def for_split(self, images: int) -> Self:
        """The metric of a split of so many images, of which it may measure some alone."""
        return self

    @abstractmethod
    def values(self, model: M, batch: Batch, q: Distribution) -> dict[str, Tensor]:
        """What is measured of each of B images, by name, ``(B, *)``.

        Args:
            model: The model.
            batch: The images.
            q: Their posterior: the encoder runs once, whatever is measured.
        """

    @abstractmethod
    def result(self, moments: Mapping[str, Moments]) -> Mapping[str, Value]:
        """The numbers, by name, from the moments of the ``values`` over a split."""


def check_rivals(metrics: Mapping[str, Metric[Any]]) -> None:
    """Raises InvalidOption where two metrics measure the same: one would hide the other."""
    owners: dict[str, str] = {}
    for name, metric in metrics.items():
        for number in metric.rivals:
            if number in owners:
                rule = f"both measure {number}"
                raise InvalidOption("", [owners[number], name], rule, "Leave one of them out.")
            owners[number] = name


def mean_and_error(name: str, moments: Moments) -> dict[str, Value]:
    """The mean over images and its standard error (over images) of a scalar quantity.

    The error of a single image is unknown.
    """
    error = (moments.variance / moments.images).sqrt().item() if moments.images > 1 else None
    return {name: moments.mean.item(), f"{name}_se": error}


def means_and_errors(moments: Mapping[str, Moments]) -> dict[str, Value]:
    """``mean_and_error`` of every quantity."""
    numbers: dict[str, Value] = {}
    for name, each in moments.items():
        numbers |= mean_and_error(name, each)
    return numbers


class State(NamedTuple):
    """What has been counted so far: plain, for another process or a file to hold."""

    images: int
    sums: dict[str, dict[str, Tensor]]  # by metric and value: Σ v and Σ v², (2, *), float64
    kept: list[dict[str, Tensor]]  # the values of each batch, where they are kept


class Evaluation:
    """Metrics of a model over a split, batch by batch.

    The noise of a batch is a function of (seed, split, batch number, metric), so the numbers
    depend neither on which other metrics are asked for nor on which process has which batch.

    Args:
        metrics: By the name under which the configuration has them.
        seed: Of the noise.
        split: Name of the split.
        keeps_values: Whether the values of each image are kept beside their sums.
        state: Where another evaluation of the same stopped.
    """

    def __init__(
        self,
        metrics: Mapping[str, Metric[Any]],
        seed: int,
        split: str,
        keeps_values: bool = False,
        state: State | None = None,
    ) -> None:
        check_rivals(metrics)
        self.metrics, self.stream = metrics, ("evaluation", seed, split)
        self.keeps_values = keeps_values
        self.state = state or State(0, {name: {} for name in metrics}, [])

    @torch.no_grad()
    def add(self, model: Model, number: int, batch: Batch) -> None:
        """Counts in batch ``number`` of the split: all of it, or nothing if it is interrupted."""
        images, before, kept = self.state
        sums = {name: dict(totals) for name, totals in before.items()}
        with noise.stream(batch.x.device, *self.stream, number, "encode"):  # for those that draw
            q = model.encode(batch)
        each: dict[str, Tensor] = {}
        for name, metric in self.metrics.items():
            with noise.stream(batch.x.device, *self.stream, number, name):
                values = metric.values(model, batch, q)
            accumulate(sums[name], {key: power_sums(value) for key, value in values.items()})
            each |= values
        if self.keeps_values:
            kept = [*kept, {key: value.cpu() for key, value in each.items()}]
        self.state = State(images + len(batch.x), sums, kept)

    def results(self, states: Iterable[State]) -> dict[str, Value]:
        """The numbers of all metrics.

        Args:
            states: The ``state`` of every process, this one's included.
        """
        each = self.moments(states)
        return {
            key: number
            for name, metric in self.metrics.items()
            for key, number in metric.result(each[name]).items()
        }

    def moments(self, states: Iterable[State]) -> dict[str, dict[str, Moments]]:
        """What the numbers come from: by metric and value."""
        images, totals = 0, {name: dict[str, Tensor]() for name in self.metrics}
        for state in states:
            images += state.images
            for name, sums in state.sums.items():
                accumulate(totals[name], sums)
        return {
            name: {value: moments(sums, images) for value, sums in total.items()}
            for name, total in totals.items()
        }


def power_sums(value: Tensor) -> Tensor:
    """Σ v and Σ v² over images of values ``(B, *)``, ``(2, *)``: in float64, or digits are lost."""
    value = value.double()
    return torch.stack([value.sum(0), value.square().sum(0)])


def moments(sums: Tensor, images: int) -> Moments:
    """From the ``power_sums`` of so many images."""
    mean, square = sums / images
    variance = (square - mean.square()).clamp_min(0) * images / max(images - 1, 1)
    return Moments(mean, variance, images)


def among(whole: Moments, having: Moments) -> Moments:
    """Of a quantity over the images that have it alone, at least one.

    Args:
        whole: Over all images, the quantity being 0 where an image has none.
        having: Of what is 1 for an image that has it, else 0; scalar.
    """
    count = whole.images
    square = whole.variance * (count - 1) / count + whole.mean.square()
    sums = torch.stack([whole.mean, square]) * count
    return moments(sums, round(having.mean.item() * count))


def accumulate(totals: dict[str, Tensor], sums: Mapping[str, Tensor]) -> None:
    """Adds sums to totals, by name."""
    for key, value in sums.items():
        totals[key] = totals.get(key, 0) + value
