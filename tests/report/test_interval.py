"""The interval of a difference over many simulated comparisons: 5 % stays 5 %."""

import math

import numpy as np
import pytest

from vae_cli.report.interval import (
    half_width,
    image_variance,
    pooled_variance,
    quantile,
    seed_variance,
)

PAIRS = 1000
IMAGES = 200
# Nats: an image's hardness, what a setting makes of it, a seed, and what a seed makes of an image.
HARD, OWN, SEED, REST = 5.0, 1.0, 0.2, 1.5


def scores(generator: np.random.Generator, settings: int, seeds: int, seed: float) -> np.ndarray:
    """Of equal settings, ``(settings, seeds, IMAGES)``: none is better in expectation."""
    free = generator.standard_normal
    hard, own = HARD * free(IMAGES), OWN * free((settings, 1, IMAGES))
    of_seed = seed * free((settings, seeds, 1))
    return hard + own + of_seed + REST * free((settings, seeds, IMAGES))


def is_surely_different(runs: np.ndarray, first: int, second: int) -> bool:
    """Of runs ``(settings, seeds, IMAGES)``, by the interval of the table."""
    means = list(runs.mean(-1))
    pooled, degrees = pooled_variance(means)
    ours, theirs = means[first], means[second]
    half = half_width(
        len(runs), seed_variance(ours, theirs, pooled), degrees,
        image_variance(runs[first], runs[second]), IMAGES,
    )  # fmt: skip
    return bool(abs(ours.mean() - theirs.mean()) > half)


def most(share: float, trials: int) -> float:
    """A share that chance alone exceeds once in a thousand times."""
    return share + 3.1 * math.sqrt(share * (1 - share) / trials)


@pytest.mark.parametrize(("seeds", "seed"), [(1, 0.0), (2, SEED), (4, SEED), (4, 0.0)])
def test_equal_settings_are_rarely_surely_different(seeds: int, seed: float) -> None:
    generator = np.random.default_rng(seeds)
    wrong = [is_surely_different(scores(generator, 2, seeds, seed), 0, 1) for _ in range(PAIRS)]
    assert np.mean(wrong) <= most(0.05, PAIRS)
    assert np.mean(wrong) > 0.01  # nor is the interval much wider than it need be


@pytest.mark.parametrize("seeds", [1, 2, 4])
def test_the_best_of_seven_equal_settings_is_rarely_surely_better(seeds: int) -> None:
    generator = np.random.default_rng(10 + seeds)
    wrong = []
    for _ in range(PAIRS):
        runs = scores(generator, 7, seeds, SEED if seeds > 1 else 0.0)
        best = int(runs.mean((1, 2)).argmax())
        wrong.append(any(is_surely_different(runs, i, best) for i in range(7) if i != best))
    assert np.mean(wrong) <= most(0.05, PAIRS)


def test_one_seed_says_nothing_about_others() -> None:
    """A seed's luck is not in the interval over images: that is why a table says what it covers."""
    generator = np.random.default_rng(0)
    wrong = [is_surely_different(scores(generator, 2, 1, 1.0), 0, 1) for _ in range(PAIRS)]
    assert np.mean(wrong) > 0.3


def test_a_difference_that_is_there_is_found() -> None:
    generator = np.random.default_rng(3)
    runs = scores(generator, 2, 4, SEED)
    runs[0] += 2
    assert is_surely_different(runs, 0, 1)


def test_quantiles_are_those_of_tables() -> None:
    assert quantile(2, 10) == pytest.approx(2.228, abs=1e-3)
    assert quantile(2, 10**6) == pytest.approx(1.960, abs=1e-3)
    assert quantile(3, 10) == pytest.approx(3.877 / math.sqrt(2), abs=1e-3)  # Tukey, 3 and 10
    assert quantile(7, 20) == pytest.approx(4.620 / math.sqrt(2), abs=1e-2)
