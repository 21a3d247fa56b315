import pytest
import torch
from model.linear_gaussian import LinearGaussian, linear
from torch import nn

from vae_cli.data.batch import Batch
from vae_cli.distribution.flow import FlowDistribution
from vae_cli.metric.active_units import ActiveUnits
from vae_cli.metric.base import Moments, moments, power_sums
from vae_cli.model.vae import VAE

TRUTH = LinearGaussian(lengths=(1.0, 1.0, 1.0, 1.0))
# Var_x(E[z_d]) of each dimension, and the scale of q(z_d|x). The threshold is 0.01.
SPREADS = torch.tensor([0.0, 0.008, 0.013, 1.0], dtype=torch.float64)


def model(log_scale: float) -> VAE:
    """A VAE whose means follow one pixel, d being pixel d, with these variances."""
    vae = TRUTH.vae()
    encoder = linear(vae.encoder)
    nn.init.zeros_(encoder.weight)
    with torch.no_grad():
        encoder.weight[:4, :4] = SPREADS.sqrt().diag()
        encoder.bias.copy_(torch.tensor([5.0] * 4 + [log_scale] * 4))
    return vae


def images(count: int) -> Batch:
    """Pixels of mean 0 and variance 1 exactly."""
    x = torch.randn(count, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = ((x - x.mean(0)) / x.std(0)).view(count, 1, 2, 3)
    return Batch(x, x, torch.full((count,), -1), torch.arange(count))


def count_active(metric: ActiveUnits, log_scale: float, count: int = 4000) -> float:
    torch.manual_seed(0)
    return metric.result(measured(metric, model(log_scale), images(count)))["active_units"]


def measured(
    metric: ActiveUnits, vae: VAE, batch: Batch, is_known: bool = True
) -> dict[str, Moments]:
    """``is_known``: whether the posterior's mean has a formula; a flow of no maps has none."""
    q = vae.encode(batch)
    values = metric.values(vae, batch, q if is_known else FlowDistribution(q, []))
    return {name: moments(power_sums(value), len(value)) for name, value in values.items()}


@pytest.mark.parametrize("samples", [2, 16])
@pytest.mark.parametrize("threshold", [0.01, 0.0105, 0.5, 1.5])
def test_counts(samples: int, threshold: float) -> None:
    expected = int((threshold < SPREADS).sum())
    assert count_active(ActiveUnits(samples, threshold), log_scale=-4.0) == expected


def test_wide_posteriors_are_not_taken_for_active() -> None:
    # The mean of two draws has a variance of 1/2 about a mean that is the same for each image.
    estimates, raw = [], []
    metric = ActiveUnits(samples=2)
    for seed in range(20):
        torch.manual_seed(seed)
        found = measured(metric, model(log_scale=0.0), images(500), is_known=False)
        raw.append(found["z_mean"].variance)
        estimates.append(raw[-1] - found["z_mean_variance"].mean)
    raw, estimates = torch.stack(raw), torch.stack(estimates)
    assert (raw.mean(0) > 0.4).all()
    error = estimates.std(0) / 20**0.5
    assert ((estimates.mean(0) - SPREADS).abs() < 4 * error).all()
    assert (error < 0.03).all()
    assert count_active(ActiveUnits(samples=2, threshold=0.3), log_scale=0.0) == 1


def test_agrees_with_the_known_posterior() -> None:
    # Of W_d = 0 the posterior is the prior: inactive. Of the others Var_x = 1 - posterior variance.
    truth = LinearGaussian(lengths=(2.0, 0.7, 0.0))
    torch.manual_seed(0)
    metric = ActiveUnits(samples=16)
    found = measured(metric, truth.vae(), truth.batch(3000))
    assert metric.result(found)["active_units"] == 2
    threshold = 1 - truth.posterior_variance[1].item()
    for factor, expected in ((0.8, 2), (1.2, 1)):
        metric = ActiveUnits(samples=16, threshold=threshold * factor)
        assert metric.result(found)["active_units"] == expected


def test_known_means_have_no_noise() -> None:
    found = measured(ActiveUnits(samples=2), model(log_scale=0.0), images(50))
    torch.testing.assert_close(found["z_mean"].variance, SPREADS)
    assert found["z_mean_variance"].mean.abs().max() == 0
