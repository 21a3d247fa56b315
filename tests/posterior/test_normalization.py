"""That the densities are densities: what no formula of ours is needed to check."""

import math

import pytest
import torch
from posteriors import FLOWS, POSTERIORS, bent
from torch import Tensor
from torch.distributions import Independent, MultivariateNormal, Normal

from vae_cli.distribution.relations import sample_with_log_prob

ROWS = pytest.mark.parametrize("name", POSTERIORS)
GRID = torch.linspace(-10, 10, 201, dtype=torch.float64)
PLANE, CELL = torch.cartesian_prod(GRID, GRID), 0.1**2
IMAGES = 4


@pytest.fixture(scope="module", params=POSTERIORS)
def log_density(request: pytest.FixtureRequest) -> tuple[str, Tensor]:
    """A posterior's name and its log-density on the grid, shape (points, IMAGES)."""
    posterior = POSTERIORS[request.param][0](latent_dim=2)
    return request.param, posterior(bent(posterior, 2, IMAGES)).log_prob(PLANE.unsqueeze(1))


def test_density_integrates_to_one(log_density: tuple[str, Tensor]) -> None:
    _, log_q = log_density
    assert ((log_q.exp().sum(0) * CELL - 1).abs() < 5e-4).all()


def test_flows_are_not_gaussian_here(log_density: tuple[str, Tensor]) -> None:
    name, log_q = log_density
    nats = []  # KL to the Gaussian of the same moments, of each image
    for mass, log_q_image in zip((log_q.exp() * CELL).T, log_q.T, strict=True):
        center = mass @ PLANE
        covariance = ((PLANE - center) * mass.unsqueeze(-1)).T @ (PLANE - center)
        gaussian = MultivariateNormal(center, covariance).log_prob(PLANE)
        nats.append(mass @ (log_q_image - gaussian))
    if name not in FLOWS:
        assert max(nats) < 1e-4
    else:
        assert max(nats) > 0.03


@ROWS
@pytest.mark.parametrize("latent_dim", [1, 2])
def test_mean_ratio_to_a_density_is_one(name: str, latent_dim: int) -> None:
    samples = 40_000
    posterior = POSTERIORS[name][0](latent_dim=latent_dim)
    torch.manual_seed(0)
    z, log_q = sample_with_log_prob(posterior(bent(posterior, latent_dim, 8)), (samples,))
    # Narrower than q, about a point where q is dense: the ratio is then bounded.
    middle = z.gather(0, log_q.argmax(0)[None, :, None].expand(1, -1, latent_dim))[0]
    p = Independent(Normal(middle, torch.full_like(middle, 0.2)), 1)
    ratio = (p.log_prob(z) - log_q).exp()
    error = ratio.std(0) / math.sqrt(samples)
    assert ((ratio.mean(0) - 1).abs() < 4 * error).all()
    assert error.median() < 0.1
