"""The estimates from S draws, where log p(x) and the weights' variance are known."""

import math

import pytest
import torch
from model.linear_gaussian import LinearGaussian
from torch import Tensor

from vae_cli.metric.base import moments, power_sums
from vae_cli.metric.importance import (
    ImportanceEstimate,
    ImportanceSampling,
    importance_estimate,
)

TRUTH = LinearGaussian()
BATCH = TRUTH.batch(40)
LOG_P = TRUTH.log_likelihood(BATCH.x)
WRONG = pytest.mark.parametrize(
    ("shift", "log_stretch"), [(0.2, 0.0), (0.0, 0.3), (0.0, -0.2), (-0.1, 0.2)]
)


def estimate(samples: int, shift: float, log_stretch: float, seed: int = 0) -> ImportanceEstimate:
    vae = TRUTH.vae(shift, log_stretch)
    torch.manual_seed(seed)
    return importance_estimate(vae, BATCH, vae.encode(BATCH), samples)


def weight_square(shift: float, log_stretch: float) -> float:
    """E[w²] / E[w]² of q = N(m + shift, (k s)²) for the true N(m, s²), k = exp(log_stretch).

    Of one dimension k² / √(2k² - 1) · exp((shift / s)² / (2k² - 1)), by a Gaussian integral;
    infinite for k² ≤ 1/2.
    """
    k2 = math.exp(2 * log_stretch)
    steps = shift**2 / TRUTH.posterior_variance
    each = k2 / math.sqrt(2 * k2 - 1) * torch.exp(steps / (2 * k2 - 1))
    return each.prod().item()


def test_all_draws_count_with_the_true_posterior() -> None:
    found = estimate(100, 0.0, 0.0)
    for value in (found.log_likelihood, found.elbo, found.reconstruction - found.kl):
        torch.testing.assert_close(value, LOG_P, rtol=0, atol=1e-9)
    torch.testing.assert_close(found.effective_sample_size, torch.full_like(LOG_P, 100.0))


@WRONG
def test_bound_is_never_above(shift: float, log_stretch: float) -> None:
    for seed in range(20):
        found = estimate(3, shift, log_stretch, seed)
        assert (found.elbo < found.log_likelihood).all()


@WRONG
def test_parts_and_gap_are_those_known(shift: float, log_stretch: float) -> None:
    found = estimate(20_000, shift, log_stretch)
    torch.testing.assert_close(found.elbo, found.reconstruction - found.kl)
    gap = LOG_P - found.elbo
    torch.testing.assert_close(
        gap, torch.full_like(gap, TRUTH.gap(shift, log_stretch)), rtol=0.1, atol=0.02
    )


@WRONG
def test_effective_sample_size_is_that_of_the_weights(shift: float, log_stretch: float) -> None:
    samples = 20_000
    found = estimate(samples, shift, log_stretch)
    expected = samples / weight_square(shift, log_stretch)
    assert found.effective_sample_size.mean().item() == pytest.approx(expected, rel=0.05)
    assert (found.effective_sample_size <= samples).all()


def numbers_of(found: ImportanceEstimate, samples: int) -> dict[str, float]:
    metric = ImportanceSampling(samples)
    size = found.effective_sample_size
    values: dict[str, Tensor] = {
        **found._asdict(),
        "log_likelihood_variance": 1 / size - 1 / samples,
        "low_effective_sample_size": (size < 10).double(),
    }
    return metric.result({name: moments(power_sums(v), len(v)) for name, v in values.items()})


@WRONG
@pytest.mark.parametrize("samples", [50, 400])
def test_stated_error_and_bias_are_those_found(
    shift: float, log_stretch: float, samples: int
) -> None:
    runs = [numbers_of(estimate(samples, shift, log_stretch, seed), samples) for seed in range(60)]
    errors = torch.tensor([run["log_likelihood"] - LOG_P.mean().item() for run in runs])
    stated = torch.tensor([run["log_likelihood_mc_se"] for run in runs])
    spread = errors.std().item()  # itself uncertain by a tenth
    assert stated.mean().item() == pytest.approx(spread, rel=0.35)
    covered = ((errors - errors.mean()).abs() < 2 * stated).float().mean()
    assert covered > 0.85
    bias = sum(run["log_likelihood_bias"] for run in runs) / 60
    assert bias < 0
    assert errors.mean().item() == pytest.approx(bias, abs=4 * spread / 60**0.5)


def test_few_effective_draws_are_told() -> None:
    found = estimate(20, 1.5, 0.0)  # far off: a draw or two carry everything
    numbers = numbers_of(found, 20)
    share = (found.effective_sample_size < 10).double().mean().item()
    assert numbers["low_effective_sample_size"] == share > 0.9
    assert numbers["effective_sample_size"] < 5


@torch.no_grad()
def test_metric_is_the_estimate() -> None:
    metric, vae = ImportanceSampling(7), TRUTH.vae(0.2, 0.3)
    torch.manual_seed(3)
    values = metric.values(vae, BATCH, vae.encode(BATCH))
    found = estimate(7, 0.2, 0.3, seed=3)
    for name, value in found._asdict().items():
        torch.testing.assert_close(values[name], value, rtol=0, atol=0)
    numbers = metric.result({n: moments(power_sums(v), len(v)) for n, v in values.items()})
    assert numbers == pytest.approx(numbers_of(found, 7))
    assert numbers["log_likelihood_samples"] == 7
