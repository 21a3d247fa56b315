r"""How sure a difference between settings is, over images and over seeds.

A score of setting s, seed r and image i is modelled as

.. math:: y_{sri} = \mu_s + a_{sr} + b_i + c_{si} + e_{sri}.

The mean over the images of a difference loses :math:`b_i`, which makes an image hard for all. Its
variance is that of the seeds, :math:`\sigma_a^2 (1/n_1 + 1/n_2)`, plus that of the paired
differences of images over their number.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

LEVEL = 0.95  # that all intervals of a table hold together
ALL = 1e5  # degrees of freedom, from which t is normal


@lru_cache
def quantile(settings: int, degrees: float) -> float:
    r"""The quantile for the largest difference between settings: Tukey's, :math:`q/\sqrt 2`.

    Of two settings it is Student's t. With more it allows for choosing the best of them.

    Args:
        settings: How many are compared, at least 2.
        degrees: Of freedom of the variance.
    """
    from scipy.stats import studentized_range  # half a second to import, for several runs alone

    return float(studentized_range.ppf(LEVEL, settings, min(degrees, ALL)) / np.sqrt(2))


def pooled_variance(means: Sequence[np.ndarray]) -> tuple[np.ndarray, int]:
    """The variance between seeds that all settings share.

    Args:
        means: Of each setting, of its runs: ``(*, n)``; n may differ.

    Returns:
        The variance, ``(*)``, and its degrees of freedom; 0 and 0 where no setting has two runs.
    """
    degrees = sum(each.shape[-1] - 1 for each in means)
    squares = [((m - m.mean(-1, keepdims=True)) ** 2).sum(-1) for m in means]
    return np.sum(squares, axis=0) / max(degrees, 1), degrees


def image_variance(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """The variance of the mean of paired differences, ``(*)``.

    Args:
        ours, theirs: Scores on the same images, ``(*, n, N)``; n may differ.
    """
    paired = ours.mean(-2) - theirs.mean(-2)
    return paired.var(-1, ddof=1) / paired.shape[-1]


def seed_variance(ours: np.ndarray, theirs: np.ndarray, pooled: np.ndarray | float) -> np.ndarray:
    """The variance that the seeds give a difference, ``(*)``: at least the pair's own.

    Settings may differ in their spread, as where some runs collapse. The larger of the pooled
    variance and Welch's keeps such a pair from looking surer than it is.

    Args:
        ours, theirs: Means of the runs, ``(*, n)``; n may differ.
        pooled: As by ``pooled_variance``, ``(*)``.
    """
    counts = [ours.shape[-1], theirs.shape[-1]]
    both = [m.var(-1, ddof=1) / n for m, n in zip((ours, theirs), counts, strict=True) if n > 1]
    shared = np.asarray(pooled * sum(1 / n for n in counts))
    return np.maximum(shared, np.sum(both, axis=0)) if both else shared


def half_width(
    settings: int,
    of_seeds: np.ndarray | float,
    seed_degrees: int,
    of_images: np.ndarray | float,
    images: int,
) -> np.ndarray:
    r"""Half of the interval: :math:`\sqrt{t_a^2 v_a + t_b^2 v_b}`, with a quantile for each part.

    It covers at least 95 % for two settings: P(Z² ≤ x) is concave in x, and each part alone
    covers 95 %.

    Args:
        settings: How many are compared.
        of_seeds: Variance of the difference over seeds, ``(*)``.
        seed_degrees: Its degrees of freedom; 0: the seeds are not covered.
        of_images: Variance of the difference over images, ``(*)``.
        images: How many; 1 or fewer: the images are not covered.
    """
    square = np.zeros(np.broadcast_shapes(np.shape(of_seeds), np.shape(of_images)))
    if seed_degrees:
        square = square + quantile(settings, seed_degrees) ** 2 * np.asarray(of_seeds)
    if images > 1:
        square = square + quantile(settings, images - 1) ** 2 * np.asarray(of_images)
    return np.sqrt(square)
