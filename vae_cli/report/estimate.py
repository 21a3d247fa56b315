"""Numbers of several runs with their errors, and how surely some are better than others."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vae_cli.report.ledger import Entry, each, values_of_images

RESAMPLES = 2000  # of the images, for an interval
CHUNK = 50  # resamples at once
INTERVAL = (2.5, 97.5)  # percentiles


class Estimate(NamedTuple):
    """A number with its standard error."""

    value: float
    error: float | None


class Difference(NamedTuple):
    """Of a setting to the best one: the mean over images, and its 95 % interval."""

    value: float
    low: float
    high: float


def estimate(runs: Sequence[Entry], key: str) -> Estimate | None:
    """The mean of a number over runs, with its error: over runs, or over images of a single one."""
    values = list(each(runs, key))
    if not values:
        return None
    if len(values) == 1:
        error = next(each(runs, f"{key}_se"), None)
        return Estimate(values[0], error)
    return Estimate(float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values))))


def difference(runs: Sequence[Entry], best: Sequence[Entry], key: str) -> Difference | None:
    """How far one setting's runs are from another's, by a paired bootstrap over the images.

    The same resampled images serve both: what makes an image hard or easy cancels. What another
    seed would change is not in it.
    """
    sides = [[values_of_images(run, key) for run in side] for side in (runs, best)]
    arrays = [array for side in sides for array in side if array is not None]
    if len(arrays) < len(runs) + len(best) or len({len(a) for a in arrays}) > 1:
        return None
    ours, theirs = (np.mean([a for a in side if a is not None], axis=0) for side in sides)
    paired = ours - theirs
    low, high = np.percentile(resampled_means(paired), INTERVAL)
    return Difference(float(paired.mean()), float(low), float(high))


def resampled_means(values: np.ndarray) -> np.ndarray:
    """Means of values drawn with replacement, ``(RESAMPLES,)``; the same ones at every call."""
    generator, count = np.random.default_rng(0), len(values)
    parts = [
        values[generator.integers(count, size=(min(CHUNK, RESAMPLES - start), count))].mean(1)
        for start in range(0, RESAMPLES, CHUNK)
    ]
    return np.concatenate(parts)
