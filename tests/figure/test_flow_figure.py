from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from pictures import model, picture, split
from torch import Tensor
from torch.distributions import MultivariateNormal

from vae_cli.distribution.flow import FlowDistribution
from vae_cli.figure.base import Inapplicable
from vae_cli.figure.flow import (
    Flow,
    carried_draws,
    enclosing_squares,
    evenly_apart,
    exact_densities,
    histograms,
)
from vae_cli.posterior.base import Posterior
from vae_cli.posterior.planar import PlanarPosterior
from vae_cli.posterior.radial import RadialPosterior

MAPS = 5
FLOWS = pytest.mark.parametrize(
    "posterior", [PlanarPosterior, RadialPosterior], ids=["planar", "radial"]
)


def flow(posterior: Callable[..., Posterior], batch: int = 3) -> FlowDistribution:
    """A flow with maps far from the identity, in float64."""
    made = posterior(latent_dim=2, flow_length=MAPS)
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(batch, made.parameter_count, generator=generator, dtype=torch.float64)
    far = torch.full_like(features, 8.0 if posterior is PlanarPosterior else 1.5)
    far[:, :4] = 0.5  # the base
    return made(far * features)


def as_drawn(values: Tensor) -> np.ndarray:
    """``(G, G, B)`` in the order of a figure's arrays."""
    return values.permute(2, 0, 1).numpy()


@FLOWS
def test_last_density_is_the_posterior(posterior: Callable[..., Posterior]) -> None:
    q = flow(posterior)
    shown = exact_densities(q, [0, MAPS])
    first, last = torch.from_numpy(shown.points).permute(0, 2, 3, 1, 4)
    np.testing.assert_allclose(shown.values[0], as_drawn(q.base.log_prob(first).exp()), rtol=1e-9)
    np.testing.assert_allclose(shown.values[1], as_drawn(q.log_prob(last).exp()), rtol=1e-6)


def test_each_density_is_that_of_the_first_maps() -> None:
    q = flow(RadialPosterior)
    stages = list(range(MAPS + 1))
    shown = exact_densities(q, stages)
    for k in stages:
        part = FlowDistribution(q.base, q.transforms[:k])
        points = torch.from_numpy(shown.points[k]).permute(1, 2, 0, 3)
        expected = as_drawn(part.log_prob(points).exp())
        np.testing.assert_allclose(shown.values[k], expected, rtol=1e-6)


def test_histogram_is_the_density_of_the_draws() -> None:
    covariance = torch.tensor([[1.0, 0.4], [0.4, 0.5]])
    truth = MultivariateNormal(torch.tensor([3.0, -1.0]), covariance)
    torch.manual_seed(0)
    z = truth.sample((1, 400_000, 1)).numpy()
    shown = histograms(z, enclosing_squares(z))
    expected = truth.log_prob(torch.from_numpy(shown.points[0, 0]).float()).exp().numpy()
    assert abs(shown.values[0, 0] - expected).max() < 0.05 * expected.max()  # blurred, and noisy


@FLOWS
def test_draws_are_carried_to_the_posterior(posterior: Callable[..., Posterior]) -> None:
    q = flow(posterior, batch=1)
    torch.manual_seed(0)
    z = carried_draws(q, [0, MAPS], 50_000)
    direct = q.rsample((50_000,)).numpy()
    assert z.shape == (2, 50_000, 1, 2)
    error = direct.std(0) / 50_000**0.5
    assert (abs(z[1].mean(0) - direct.mean(0)) < 6 * error).all()
    assert (abs(z[0].mean(0) - q.base.mean.numpy()) < 0.05).all()


def test_squares_hold_nearly_all_draws() -> None:
    z = np.random.default_rng(0).normal(size=(3, 5000, 2, 2)) * np.array([1.0, 0.1])
    z[2] += 1.0
    (low, high) = enclosing_squares(z).transpose(1, 0, 2)
    np.testing.assert_allclose((high - low)[:, 0], (high - low)[:, 1])
    assert ((z > low) & (z < high)).all(-1).mean() > 0.99


@pytest.mark.parametrize(
    ("last", "count", "chosen"),
    [(1, 6, [0, 1]), (4, 6, [0, 1, 2, 3, 4]), (16, 6, [0, 3, 6, 10, 13, 16]), (80, 1, [0, 80])],
)
def test_first_and_last_are_always_shown(last: int, count: int, chosen: list[int]) -> None:
    assert evenly_apart(last, count) == chosen


@pytest.mark.parametrize("latent_dim", [2, 3])
def test_all_panels_have_the_same_axes(latent_dim: int) -> None:
    one = model(latent_dim=latent_dim, posterior=partial(PlanarPosterior, flow_length=9))
    drawing = picture(Flow(count=2, panels=4, draws=3000), one, split())
    grid = np.array(drawing.canvas.axes).reshape(2, 5)
    assert [axes.get_title() for axes in grid[0]] == [
        "$x$",
        "$q_0$, before the flow",
        *[f"$q_{{{k}}}$, after map {k}" for k in (3, 6, 9)],
    ]
    assert len({(axes.get_xlim(), axes.get_ylim()) for axes in grid[:, 1:].flat}) == 1
    assert {axes.get_ylabel() for axes in grid[:, 1]} == {"$z_2$"}
    assert {axes.get_xlabel() for axes in grid[-1, 1:]} == {"$z_1$"}
    assert len({frame.shape for frame in drawing.frames}) == 1
    assert len(drawing.frames) == 20  # ten densities, each twice
    assert drawing.arrays["map"].tolist() == list(range(10))


def test_a_posterior_without_maps_has_none() -> None:
    with pytest.raises(Inapplicable, match="needs a posterior that is a flow"):
        picture(Flow(), model(), split())
