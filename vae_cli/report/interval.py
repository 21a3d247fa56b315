"""How surely one setting differs from another, over seeds and images."""

import math
from collections.abc import Sequence
from functools import cache
from typing import Literal, NamedTuple

import numpy as np

LEVEL = 0.95
MANY = 1000  # degrees of freedom from which a t distribution counts as normal

Covered = Literal["seeds and images", "seeds only", "images only"]


class Difference(NamedTuple):
    """A difference of two settings' means with its 95 % interval.

    Attributes:
        value: The first setting's mean minus the second's.
        low, high: The interval. It holds for all pairs of settings of a table at once, so that it
            stays right for the pair that looks most different.
        covers: What else could have come out differently: other seeds, other test images.
    """

    value: float
    low: float
    high: float
    covers: Covered


def difference(
    ours: Sequence[float],
    theirs: Sequence[float],
    paired: np.ndarray | None,
    settings: Sequence[Sequence[float]] = (),
) -> Difference | None:
    r"""The difference of two settings, whose runs differ in their seeds and share their images.

    A run's mean is :math:`\mu_i + s_{ir} + \bar e_i`, of its setting i, its seed r, and the images.
    The seeds' variance is that between the runs of a setting, taken to be the same for all settings
    of a table and pooled over them: two or three runs of one tell little. The images' is that of
    the paired differences: what makes an image hard for all settings cancels. Both add up, with
    degrees of freedom by Satterthwaite (1946). The quantile is that of Tukey's studentized range
    over all settings, because the one that others are compared with was chosen as the best of them.

    Args:
        ours, theirs: The means of the runs of each setting over the images.
        paired: The difference for each image, of means over runs, ``(N,)``; None if unknown.
        settings: The means of the runs of every setting of the table; of these two if empty.

    Returns:
        None where neither seeds nor images are repeated. Where no setting has several seeds the
        interval covers the images only, and says nothing about other seeds.

    Example:
        >>> found = difference([1.0, 1.2], [0.1, 0.3], None)
        >>> round(found.value, 2), found.covers
        (0.9, 'seeds only')
    """
    settings = settings or (ours, theirs)
    freedom = sum(len(side) - 1 for side in settings)
    parts: list[tuple[float, int]] = []  # variances of the difference and their degrees of freedom
    if freedom > 0:
        squares = sum(float(np.square(np.subtract(s, np.mean(s))).sum()) for s in settings)
        parts.append((squares / freedom * (1 / len(ours) + 1 / len(theirs)), freedom))
    if paired is not None and len(paired) > 1:
        parts.append((float(paired.var(ddof=1)) / len(paired), len(paired) - 1))
    if not parts:
        return None
    variance = sum(part for part, _ in parts)
    spread = sum(part**2 / of_part for part, of_part in parts)
    of_both = math.floor(variance**2 / spread) if spread > 0 else MANY
    of_both = max(1, min(of_both, MANY))
    of_both -= of_both % max(1, of_both // 10)  # fewer, by a tenth at most: quantiles are slow
    reach = quantile(len(settings), of_both) * math.sqrt(variance)
    value = float(np.mean(ours) - np.mean(theirs))
    covers: Covered = "seeds and images" if len(parts) == 2 else "seeds only"
    return Difference(value, value - reach, value + reach, covers if freedom else "images only")


@cache
def quantile(settings: int, freedom: int) -> float:
    """How many standard errors a 95 % interval reaches, for all pairs of settings at once.

    Args:
        settings: Two at least; for two it is the quantile of Student's t.
        freedom: Degrees of freedom; ``MANY`` stands for infinitely many.
    """
    from scipy.stats import studentized_range, t

    of_t = math.inf if freedom >= MANY else freedom
    if settings <= 2:
        return float(t.ppf((1 + LEVEL) / 2, of_t))
    return float(studentized_range.ppf(LEVEL, settings, of_t)) / math.sqrt(2)
