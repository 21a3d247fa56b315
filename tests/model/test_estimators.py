"""The estimators of log p(x) against log p(x) itself, with posteriors that are wrong on purpose.

The model is linear and Gaussian, z has two dimensions, and what the estimators must find is
computed from the densities on a grid.
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from exact import build, images
from torch import Tensor
from torch.distributions import Distribution, MultivariateNormal

from vae_cli.distribution.flow import FlowDistribution
from vae_cli.distribution.normal import DiagonalNormal
from vae_cli.distribution.planar import PlanarFlow
from vae_cli.distribution.radial import RadialTransform
from vae_cli.model.base import log_mean_weight
from vae_cli.model.evidence import exact_log_likelihood

MODEL = build(latent_dim=2)
with torch.no_grad():  # of columns that are nearly orthogonal: no wrong posterior is hopeless
    MODEL.decoder.weight.copy_(
        torch.tensor([[1, 0], [0, 0.9], [0.5, 0.1], [0, 0.4], [0.1, 0], [0, 0]])
    )
BATCH = images(4)
B = len(BATCH.x)
SEEDS, S = 60, 200  # independent repetitions, and draws in each
REACH, STEPS = 8.0, 250  # of the grid: posterior scales either way, points


def exact(p: MultivariateNormal) -> Distribution:
    return p


def diagonal(shift: float, log_stretch: float) -> Callable[[MultivariateNormal], Distribution]:
    """Moved by so many scales, and stretched."""

    def make(p: MultivariateNormal) -> DiagonalNormal:
        return DiagonalNormal(p.mean + shift * p.stddev, p.stddev.log() + log_stretch)

    return make


def base(p: MultivariateNormal) -> tuple[DiagonalNormal, torch.Generator]:
    """A little wider than p: the weights of what a flow makes of it have finite moments."""
    return DiagonalNormal(p.mean, p.stddev.log() + 0.1), torch.Generator().manual_seed(0)


def planar(p: MultivariateNormal) -> FlowDistribution:
    """Random planar maps, of a strength in proportion to the posterior's scale."""
    start, generator = base(p)
    maps = []
    for _ in range(2):
        w, u = torch.randn(2, B, 2, generator=generator, dtype=torch.float64)
        along = w / p.stddev
        offset = -(along * p.mean).sum(-1)
        across = 0.4 * u * p.stddev
        maps.append(PlanarFlow(along.unsqueeze(1), across.unsqueeze(1), offset.unsqueeze(1)))
    return FlowDistribution(start, maps)


def radial(p: MultivariateNormal) -> FlowDistribution:
    """Radial maps around random points, one that expands and one that contracts."""
    start, generator = base(p)
    maps = []
    for ratio in (1.8, 0.6):
        center = p.mean + p.stddev * torch.randn(B, 2, generator=generator, dtype=torch.float64)
        alpha = p.stddev.norm(dim=-1)
        maps.append(RadialTransform(center, alpha, ratio * alpha))
    return FlowDistribution(start, maps)


WRONG = {
    "shifted": diagonal(0.5, 0.0),
    "stretched": diagonal(0.0, 0.3),
    "squeezed": diagonal(0.0, -0.1),
    "shifted and stretched": diagonal(-0.4, 0.2),
    "planar": planar,
    "radial": radial,
}
ROWS = pytest.mark.parametrize("name", WRONG)


class Truth(NamedTuple):
    """What an estimator with posterior q must find, each ``(B,)``."""

    log_p: Tensor  # log p(x), nats
    gap: Tensor  # KL(q‖p(z|x)), nats
    second: Tensor  # E_q[(p(z|x) / q)^2]: 1 for the exact posterior


def truth(q: Distribution) -> Truth:
    p = MODEL.exact_posterior(BATCH.x)
    axis = torch.linspace(-REACH, REACH, STEPS, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis).unsqueeze(1) * p.stddev + p.mean
    cell = p.stddev.prod(-1) * (axis[1] - axis[0]) ** 2
    log_p, log_q = p.log_prob(grid), q.log_prob(grid)
    torch.testing.assert_close(
        (log_q.exp() * cell).sum(0), torch.ones(B).double(), rtol=0, atol=1e-5
    )
    gap = (log_q.exp() * (log_q - log_p) * cell).sum(0)
    second = ((2 * log_p - log_q).exp() * cell).sum(0)
    return Truth(exact_log_likelihood(MODEL, BATCH), gap, second)


class Case(NamedTuple):
    """A wrong posterior: the truth, and log-weights of repeated draws, ``(S, SEEDS * B)``."""

    truth: Truth
    log_weight: Tensor  # minus log p(x), so that what they estimate is 0


def draw(make: Callable[[MultivariateNormal], Distribution], samples: int, repeats: int) -> Tensor:
    """Log-weights over p(x), ``(samples, repeats, B)``."""
    torch.manual_seed(0)
    q = make(MODEL.exact_posterior(BATCH.x))
    terms = MODEL.terms(BATCH, samples * repeats, closed_form_kl=False, q=q)
    over = terms.log_weight - exact_log_likelihood(MODEL, BATCH)
    return over.unflatten(0, (samples, repeats))


@pytest.fixture(scope="module", autouse=True)
def _no_gradients() -> object:
    with torch.no_grad():
        yield


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    posterior = MODEL.exact_posterior(BATCH.x)
    return {
        name: Case(truth(make(posterior)), draw(make, S, SEEDS)) for name, make in WRONG.items()
    }


def size(log_weight: Tensor) -> Tensor:
    """The effective sample size, (Σ w)² / Σ w² (Kong 1992)."""
    return (2 * log_weight.logsumexp(0) - (2 * log_weight).logsumexp(0)).exp()


def standard_error(log_weight: Tensor) -> Tensor:
    """Of ``log_mean_weight``, nats, by the delta method: that of the mean over the mean."""
    return (1 / size(log_weight) - 1 / len(log_weight)).sqrt()


@ROWS
def test_bound_lacks_the_divergence(name: str, cases: dict[str, Case]) -> None:
    gap, flat = cases[name].truth.gap, cases[name].log_weight.flatten(0, 1)
    error = flat.std(0) / len(flat) ** 0.5
    assert ((flat.mean(0) + gap).abs() < 4 * error).all()
    assert (gap > 4 * error).all()  # else being below the evidence would say nothing
    assert (flat.mean(0) < 0).all()


@ROWS
def test_estimate_of_p_is_unbiased(name: str, cases: dict[str, Case]) -> None:
    ratio = cases[name].log_weight.flatten(0, 1).exp()
    error = ratio.std(0) / len(ratio) ** 0.5
    assert ((ratio.mean(0) - 1).abs() < 4 * error).all()
    assert (error < 0.02).all()


@ROWS
def test_errors_are_as_large_as_stated(name: str, cases: dict[str, Case]) -> None:
    log_weight = cases[name].log_weight
    score = (log_mean_weight(log_weight) / standard_error(log_weight)).flatten()
    # Over n scores their root mean square is 1 ± 1 / sqrt(2 n).
    assert score.square().mean().sqrt() == pytest.approx(1, abs=4 / (2 * len(score)) ** 0.5)
    assert (score.abs() < 1).double().mean() == pytest.approx(0.683, abs=0.12)


@ROWS
def test_estimate_is_never_below_the_bound_of_its_draws(name: str, cases: dict[str, Case]) -> None:
    log_weight = cases[name].log_weight
    assert (log_mean_weight(log_weight) > log_weight.mean(0)).all()


@ROWS
def test_bounds_tighten_with_the_draws(name: str, cases: dict[str, Case]) -> None:
    _, gap, second = cases[name].truth
    flat = cases[name].log_weight.flatten(0, 1)
    bounds, errors = [], []
    for draws in (1, 5, 25, 100):
        estimates = log_mean_weight(flat.unflatten(0, (draws, -1)))
        bounds.append(estimates.mean(0))
        errors.append(estimates.std(0) / len(estimates) ** 0.5)
    for i in range(3):
        assert (bounds[i].mean() < bounds[i + 1].mean()).all()
    assert all((b < 3 * e).all() for b, e in zip(bounds, errors, strict=True))  # the evidence is 0
    torch.testing.assert_close(bounds[0], -gap, rtol=0, atol=4 * errors[0].max().item())
    # Domke & Sheldon 2018, arXiv:1808.09034, theorem 3: S times what is lacking goes to the
    # variance of a weight over twice its mean.
    assert (
        (bounds[-1] + (second - 1) / 200).abs() < 4 * errors[-1] + (second - 1) ** 2 / 1e4
    ).all()


@ROWS
def test_effective_sample_size_is_that_of_the_divergence(name: str, cases: dict[str, Case]) -> None:
    flat = cases[name].log_weight.flatten(0, 1)
    expected = len(flat) / cases[name].truth.second
    square = (2 * flat).exp()  # the noisier of the two sums
    error = square.std(0) / square.mean(0) / len(flat) ** 0.5
    assert ((size(flat) / expected - 1).abs() < 4 * error).all()
    assert (error < 0.05).all()
    assert (expected < 0.99 * len(flat)).all()


def test_exact_posterior_has_no_gap_and_loses_no_draw() -> None:
    posterior = MODEL.exact_posterior(BATCH.x)
    found = truth(posterior)
    torch.testing.assert_close(found.gap, torch.zeros(B).double(), rtol=0, atol=1e-9)
    torch.testing.assert_close(found.second, torch.ones(B).double(), rtol=0, atol=1e-9)
    log_weight = draw(exact, S, SEEDS)
    torch.testing.assert_close(log_weight, torch.zeros_like(log_weight), rtol=0, atol=1e-9)
    effective = size(log_weight)
    torch.testing.assert_close(effective, torch.full_like(effective, S), rtol=1e-9, atol=0)
    torch.testing.assert_close(log_mean_weight(log_weight), log_weight[0], rtol=0, atol=1e-9)


@pytest.mark.parametrize("log_stretch", [-0.1, 0.2, 0.7])
def test_effective_sample_size_of_a_stretched_gaussian(log_stretch: float) -> None:
    """E_q[(p / q)²] = t² / sqrt(2 t² - 1) in one dimension, with t the ratio of scales."""
    torch.manual_seed(0)
    model, samples = build(latent_dim=1), 200_000
    p = model.exact_posterior(BATCH.x)
    q = DiagonalNormal(p.mean, p.stddev.log() + log_stretch)
    log_weight = model.terms(BATCH, samples, closed_form_kl=False, q=q).log_weight
    t = torch.tensor(log_stretch, dtype=torch.float64).exp()
    expected = (2 * t**2 - 1).sqrt() / t**2
    torch.testing.assert_close(size(log_weight) / samples, expected.expand(B), rtol=0.01, atol=0)
