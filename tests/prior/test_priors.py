from collections.abc import Callable

import pytest
import torch

from vae_cli.prior.base import Prior
from vae_cli.prior.standard import StandardPrior

PRIORS: dict[str, Callable[..., Prior]] = {"standard": StandardPrior}
ROWS = pytest.mark.parametrize("make", PRIORS.values(), ids=PRIORS)


@ROWS
@pytest.mark.parametrize("latent_dim", [1, 2, 7])
def test_shapes(make: Callable[..., Prior], latent_dim: int) -> None:
    p = make(latent_dim=latent_dim)()
    assert (p.batch_shape, p.event_shape) == ((), (latent_dim,))
    z = p.sample((3, 5))
    assert z.shape == (3, 5, latent_dim)
    assert p.log_prob(z).shape == (3, 5)


@ROWS
def test_density_integrates_to_one(make: Callable[..., Prior]) -> None:
    grid = torch.linspace(-9, 9, 181, dtype=torch.float64)
    density = make(latent_dim=2).double()().log_prob(torch.cartesian_prod(grid, grid)).exp()
    assert abs(density.sum() * 0.1**2 - 1) < 1e-6


@ROWS
def test_follows_its_module(make: Callable[..., Prior]) -> None:
    prior = make(latent_dim=2).double()
    assert prior().sample().dtype == torch.float64


def test_standard_is_standard() -> None:
    p = StandardPrior(latent_dim=3).double()()
    z = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
    expected = -(z.square().sum() + 3 * torch.log(torch.tensor(2 * torch.pi).double())) / 2
    torch.testing.assert_close(p.log_prob(z), expected, rtol=1e-7, atol=1e-7)
    assert not StandardPrior(latent_dim=3).state_dict()  # constants take no place in a checkpoint
