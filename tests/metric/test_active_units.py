from collections.abc import Callable

import pytest
import torch
from linear_gaussian import LinearGaussian, linear
from torch import Tensor, nn

from vae_cli.data.batch import Batch
from vae_cli.distribution.flow import FlowDistribution, FlowTransform
from vae_cli.distribution.latent import Latent
from vae_cli.distribution.normal import DiagonalNormal
from vae_cli.distribution.planar import PlanarFlow
from vae_cli.distribution.radial import RadialTransform
from vae_cli.distribution.relations import pair_means
from vae_cli.metric.active_units import ActiveUnits, code_variance
from vae_cli.metric.base import Moments, moments, power_sums
from vae_cli.model.vae import VAE

TRUTH = LinearGaussian(lengths=(1.0, 1.0, 1.0, 1.0))
# Var_x(E[z_d]) of each dimension, and the scale of q(z_d|x). The threshold is 0.01.
GENERATOR = torch.Generator().manual_seed(0)
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


def count(metric: ActiveUnits, log_scale: float, images_: int = 4000) -> dict[str, float]:
    return metric.result(measured(metric, model(log_scale), images(images_)))


def measured(metric: ActiveUnits, vae: VAE, batch: Batch) -> dict[str, Moments]:
    return of_values(metric.values(vae, batch, vae.encode(batch)))


def of_values(values: dict[str, Tensor]) -> dict[str, Moments]:
    return {name: moments(power_sums(value), len(value)) for name, value in values.items()}


class Anything(nn.Module):
    """Stands for a model of which only the size of z matters."""

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim

    def latent(self, event: Tensor) -> Latent:
        return Latent(event)


def planar(dims: int) -> FlowTransform:
    w, u = 0.05 * torch.randn(2, 4, dims, generator=GENERATOR, dtype=torch.float64)
    return PlanarFlow(w, u, torch.zeros(4, dtype=torch.float64))


def radial(dims: int) -> FlowTransform:
    alpha = torch.tensor(1.0, dtype=torch.float64)
    return RadialTransform(torch.zeros(dims, dtype=torch.float64), alpha, 1.1 * alpha)


@pytest.mark.parametrize("samples", [4, 16])
@pytest.mark.parametrize("threshold", [0.01, 0.0105, 0.5, 1.5])
def test_counts(samples: int, threshold: float) -> None:
    expected = int((threshold < SPREADS).sum())
    assert count(ActiveUnits(samples, threshold), log_scale=-4.0)["active_units"] == expected


def curved(batch: Batch) -> tuple[VAE, FlowDistribution]:
    """Wide posteriors through a strong radial map: opposite noise does not cancel in them."""
    vae = model(log_scale=0.0)
    q = vae.encode(batch)
    center = torch.full((4,), 4.0, dtype=torch.float64)
    alpha, s = torch.tensor([0.5, 3.0], dtype=torch.float64)
    return vae, FlowDistribution(q, [RadialTransform(center, alpha, s)])


@torch.no_grad()
def test_noise_of_the_pairs_is_subtracted_and_stated() -> None:
    batch = images(200)
    vae, q = curved(batch)
    torch.manual_seed(0)
    exact = pair_means(q, 10_000, is_fixed=False).mean(0).var(0)
    metric, estimates, raw, errors = ActiveUnits(samples=4), [], [], []
    for seed in range(100):
        torch.manual_seed(seed)
        found = of_values(metric.values(vae, batch, q))
        variance, error = code_variance(found)
        estimates.append(variance)
        errors.append(error)
        raw.append(found["z_mean"].variance)
    estimates, raw = torch.stack(estimates), torch.stack(raw)
    bias = estimates.mean(0) - exact
    deviation = estimates.std(0)
    assert (bias.abs() < 4 * deviation / 100**0.5).all()
    assert (raw.mean(0) - exact > 5 * deviation / 100**0.5).all()  # what the noise would add
    # The images are the same each time, so only a part of the stated error can be seen.
    assert (deviation < 1.2 * torch.stack(errors).mean(0)).all()


def test_error_is_that_over_sets_of_images() -> None:
    vae, metric = model(log_scale=0.0), ActiveUnits()
    variances, errors = [], []
    for seed in range(400):
        generator = torch.Generator().manual_seed(seed)
        # Sparse pixels: an error by normal theory would be three times too small.
        x = torch.randn(150, 1, 2, 3, generator=generator, dtype=torch.float64) ** 3
        batch = Batch(x, x, torch.full((150,), -1), torch.arange(150))
        variance, error = code_variance(measured(metric, vae, batch))
        variances.append(variance)
        errors.append(error.square())
    stated = torch.stack(errors).mean(0).sqrt()
    torch.testing.assert_close(stated, torch.stack(variances).std(0), rtol=0.2, atol=1e-12)


def test_dimensions_near_the_threshold_are_uncertain() -> None:
    # Standard errors of 0.008 and 0.013 are about sqrt(2 / N) of them.
    for images_, expected in ((50, 2), (1000, 0)):
        numbers = count(ActiveUnits(), log_scale=-4.0, images_=images_)
        assert numbers["active_units"] == 2
        assert numbers["active_units_uncertain"] == expected
    found = [numbers[f"code_variance/{d}"] for d in range(4)]
    assert found == pytest.approx(SPREADS.tolist())


@pytest.mark.parametrize("make", [planar, radial])
def test_few_images_of_flows_near_the_identity(make: Callable[[int], FlowTransform]) -> None:
    """180 images, 4 of 50 dimensions active: the others are exactly like the prior."""
    metric, n, dims, active = ActiveUnits(), 180, 50, 4
    generator = torch.Generator().manual_seed(0)
    loc = torch.zeros(n, dims, dtype=torch.float64)
    loc[:, :active] = torch.randn(n, active, generator=generator, dtype=torch.float64)
    log_scale = torch.zeros_like(loc)
    log_scale[:, :active] = -1.5
    q = FlowDistribution(DiagonalNormal(loc, log_scale), [make(dims)])
    batch = images(n)
    for seed in range(5):
        torch.manual_seed(seed)
        found = of_values(metric.values(Anything(dims), batch, q))
        assert metric.result(found)["active_units"] == active


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
    found = measured(ActiveUnits(samples=4), model(log_scale=0.0), images(50))
    torch.testing.assert_close(found["z_mean"].variance, SPREADS)
    assert found["z_mean_variance"].mean.abs().max() == 0
