"""Fitted mixtures, against the moments and the clusters of the points."""

import pytest
import torch

from vae_cli.distribution.mixture import RIDGE, fit_mixture


def normal(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


def test_one_gaussian_has_the_moments_of_the_points() -> None:
    z = normal(50, 3) @ normal(3, 3) + 1
    p = fit_mixture(z, 1)
    torch.testing.assert_close(p.mean, z.mean(0))
    covariance = z.T.cov(correction=0) + RIDGE * torch.eye(3, dtype=z.dtype)
    torch.testing.assert_close(p.component_distribution.covariance_matrix[0], covariance)


def test_clusters_are_found() -> None:
    torch.manual_seed(0)
    centers = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 20.0]], dtype=torch.float64)
    label = torch.arange(600) % 4 % 3  # the first is twice as frequent
    z = centers[label] + normal(600, 2)
    p = fit_mixture(z, 3)
    order = p.component_distribution.loc.norm(dim=1).argsort()
    expected = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64)
    torch.testing.assert_close(p.mixture_distribution.probs[order], expected, atol=1e-6, rtol=0)
    means = torch.stack([z[label == n].mean(0) for n in range(3)])
    torch.testing.assert_close(p.component_distribution.loc[order], means, atol=1e-5, rtol=0)
    assert p.log_prob(z).mean() > fit_mixture(z, 1).log_prob(z).mean() + 1


def test_draws_lie_where_the_points_do() -> None:
    torch.manual_seed(0)
    z = torch.cat([normal(200, 2), normal(200, 2) + 30]).float()
    draws = fit_mixture(z, 2).sample((1000,))
    nearest = torch.cdist(draws, torch.tensor([[0.0, 0.0], [30.0, 30.0]])).min(1).values
    assert draws.dtype == torch.float32 and nearest.max() < 6
    assert (fit_mixture(z, 1).sample((1000,)) - 15).norm(
        dim=1
    ).min() < 3  # as one Gaussian does not


@pytest.mark.parametrize("components", [1, 3, 50])
def test_points_of_a_line_in_space(components: int) -> None:
    torch.manual_seed(0)
    z = normal(20, 1).float() * torch.tensor([1.0, 2.0, 0.0])
    draws = fit_mixture(z, components).sample((100,))
    assert draws.isfinite().all() and draws[:, 2].abs().max() < 0.01


def test_start_is_that_of_the_default_generator() -> None:
    z = normal(40, 2)
    torch.manual_seed(3)
    first = fit_mixture(z, 4).mean
    torch.manual_seed(3)
    torch.testing.assert_close(fit_mixture(z, 4).mean, first, rtol=0, atol=0)
