"""Numbers of several runs with their errors, and how surely some are better than others."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vae_cli.report.interval import half_width, image_variance, pooled_variance, seed_variance
from vae_cli.report.ledger import Entry, each, values_of_images
from vae_cli.terminal.comparable import images_of, protocol, treatment
from vae_cli.terminal.quantity import bound_sign

RUNS = "runs"  # of a setting: they differ in their seeds, or in whatever is averaged over


class Estimate(NamedTuple):
    """A number with its standard error.

    Attributes:
        value: In the unit of its quantity; a mean over runs.
        error: In the same unit; None where it is not known.
        over: What the error is over: ``images`` of one run, or ``runs``; empty without one.
        runs: How many have the number.
        bound: The sign before a value that is only bounded.
    """

    value: float
    error: float | None
    over: str = ""
    runs: int = 1
    bound: str = ""


class Difference(NamedTuple):
    """Of a setting to the best one, and its 95 % interval.

    Attributes:
        value, low, high: In the unit of the quantity.
        covers: ``runs and images``, ``images only`` or ``runs only``.
    """

    value: float
    low: float
    high: float
    covers: str


def estimate(runs: Sequence[Entry], key: str) -> Estimate | None:
    """The mean of a number over runs, with its error: over runs, or over images of a single one."""
    values = list(each(runs, key))
    if not values:
        return None
    bound = next(filter(None, (bound_sign(run.numbers, key) for run in runs)), "")
    if len(values) == 1:
        error = next(each(runs, f"{key}_se"), None)
        return Estimate(values[0], error, "images" if error else "", 1, bound)
    error = float(np.std(values, ddof=1) / math.sqrt(len(values)))
    return Estimate(float(np.mean(values)), error, RUNS, len(values), bound)


def differences(settings: Sequence[Sequence[Entry]], key: str) -> list[Difference | None]:
    """How far each setting is from the first, with intervals that hold for all of them together.

    Args:
        settings: The runs of each, the best first.
        key: Of a number with a direction.

    Returns:
        None for the first, and for those whose numbers are not of the same images or not measured
        alike.
    """
    best = settings[0]
    if not _is_complete(best, key):
        return [None] * len(settings)
    alike = [runs for runs in settings if _is_complete(runs, key) and _kind(runs) == _kind(best)]
    pooled, degrees = pooled_variance([np.array([*each(runs, key)]) for runs in alike])
    found: list[Difference | None] = [None]
    for runs in settings[1:]:
        is_alike = any(runs is one for one in alike)
        found.append(
            _difference(runs, best, key, len(alike), float(pooled), degrees) if is_alike else None
        )
    return found


def _is_complete(runs: Sequence[Entry], key: str) -> bool:
    return len(list(each(runs, key))) == len(runs)


def _kind(runs: Sequence[Entry]) -> tuple[str, ...]:
    """What two settings must share to be subtracted."""
    numbers = runs[0].numbers
    return treatment(numbers), images_of(numbers), protocol(numbers)


def _difference(
    runs: Sequence[Entry],
    best: Sequence[Entry],
    key: str,
    settings: int,
    pooled: float,
    degrees: int,
) -> Difference | None:
    ours, theirs = (np.array([*each(side, key)]) for side in (runs, best))
    value = float(ours.mean() - theirs.mean())
    values = [v for side in (runs, best) if (v := _values(side, key)) is not None]
    of_images, images = 0.0, 0
    if len(values) == 2 and values[0].shape[1] == values[1].shape[1]:
        of_images, images = float(image_variance(*values)), values[0].shape[1]
    if images < 2 and not degrees:
        return None
    of_seeds = seed_variance(ours, theirs, pooled)
    half = float(half_width(settings, of_seeds, degrees, of_images, images))
    covered = [*([RUNS] if degrees else []), *(["images"] if images > 1 else [])]
    covers = " and ".join(covered) if len(covered) > 1 else f"{covered[0]} only"
    return Difference(value, value - half, value + half, covers)


def _values(runs: Sequence[Entry], key: str) -> np.ndarray | None:
    """A number of each image, ``(runs, N)``, where all runs have kept it."""
    arrays = [array for run in runs if (array := values_of_images(run, key)) is not None]
    if len(arrays) < len(runs) or len({len(array) for array in arrays}) > 1:
        return None
    return np.stack(arrays)
