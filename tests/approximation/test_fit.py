from dataclasses import replace

import pytest
import torch
from torch import Tensor

from vae_cli.approximation.fit import FitOptions, fit_posterior
from vae_cli.approximation.measure import diverge, grid, log_densities, log_integral
from vae_cli.distribution.normal import DiagonalNormal
from vae_cli.energy.base import Energy
from vae_cli.energy.rezende import TwoMoons, Wave
from vae_cli.errors import TrainingError
from vae_cli.posterior.base import Posterior
from vae_cli.posterior.planar import PlanarPosterior
from vae_cli.posterior.radial import RadialPosterior

OPTIONS = FitOptions(steps=150, restarts=3, samples=32, warmup=0.5, lr=0.2, seed=0)
FAMILIES = [PlanarPosterior, RadialPosterior]
every = pytest.mark.parametrize("family", FAMILIES)


class Bell(Energy):
    """A Gaussian, of which everything is known."""

    def __init__(self, loc: tuple[float, float], log_scale: tuple[float, float]) -> None:
        loc_, log_scale_ = torch.tensor(loc).double(), torch.tensor(log_scale).double()
        self.p = DiagonalNormal(loc_, log_scale_)

    def __call__(self, z: Tensor) -> Tensor:
        return 3.0 - self.p.log_prob(z)  # log Z = -3


def ignore(step: int) -> None:
    pass


def test_gaussians_are_measured_as_by_formula() -> None:
    p, q = Bell((0.5, -1.0), (-0.1, -0.5)), Bell((0.0, -0.5), (-0.2, -0.1)).p
    _, log_z = log_densities([p])
    torch.testing.assert_close(log_z, torch.tensor([-3.0]).double(), atol=1e-9, rtol=0)
    batch = DiagonalNormal(q.loc.unsqueeze(0), q.log_scale.unsqueeze(0))
    found = diverge(batch, [p], log_z, 40_000, seed=0)
    ratio = (2 * (q.log_scale - p.p.log_scale)).exp()
    offset = ((q.loc - p.p.loc) / p.p.scale).square()
    exact = 0.5 * (ratio + offset - 1 - ratio.log()).sum()
    assert abs(found.kl.item() - exact) < 4 * found.kl_se.item() < 0.05
    assert found.mass.item() == pytest.approx(1, abs=1e-9)


@every
def test_divergence_is_that_of_quadrature(family: type[Posterior]) -> None:
    energies = [TwoMoons(), Wave()]
    posterior = family(2, 4)  # type: ignore[call-arg]
    q = posterior(fit_posterior(posterior, energies, OPTIONS, ignore).double())
    log_p, log_z = log_densities(energies)
    found = diverge(q, energies, log_z, 40_000, seed=0)
    torch.testing.assert_close(found.mass, torch.ones(2).double(), atol=2e-3, rtol=0)
    gap = found.log_q.exp() * (found.log_q - log_p)
    by_sum = gap.sum((0, 1)) * log_integral(torch.zeros_like(gap)).exp() / grid()[..., 0].numel()
    assert ((found.kl - by_sum).abs() < 4 * found.kl_se + 5e-3).all()
    assert (found.kl > 0).all()


@every
def test_more_maps_fit_better(family: type[Posterior]) -> None:
    energies = [TwoMoons(), Wave()]
    _, log_z = log_densities(energies)
    kls, options = [], replace(OPTIONS, steps=400)
    for length in (1, 8):
        posterior = family(2, length)  # type: ignore[call-arg]
        q = posterior(fit_posterior(posterior, energies, options, ignore).double())
        kls.append(diverge(q, energies, log_z, 10_000, seed=0).kl)
    assert (kls[1] < kls[0] - 0.1).all()


@every
def test_starts_have_a_broad_gaussian_behind_different_maps(family: type[Posterior]) -> None:
    # The numbers of q_0 come first, as the fit takes for granted.
    posterior = family(2, 4)  # type: ignore[call-arg]
    parameters = torch.randn(5, posterior.parameter_count)
    base = posterior(parameters).base
    torch.testing.assert_close(base.loc, parameters[:, :2])
    torch.testing.assert_close(base.log_scale, parameters[:, 2:4])


def test_fits_repeat_and_do_not_touch_each_other() -> None:
    posterior, told = PlanarPosterior(2, 2), []
    options = FitOptions(steps=20, restarts=1, samples=16, warmup=0.0, lr=0.2, seed=3)
    both = fit_posterior(posterior, [TwoMoons(), Wave()], options, told.append)
    assert told == list(range(1, 21))
    torch.testing.assert_close(
        fit_posterior(posterior, [TwoMoons(), Wave()], options, ignore), both
    )

    class Broken(Wave):
        def __call__(self, z: Tensor) -> Tensor:
            return super().__call__(z) * float("nan")

    # A failed fit does not touch the others; an error says that all have failed.
    with pytest.raises(TrainingError, match="smaller lr"):
        fit_posterior(posterior, [TwoMoons(), Broken()], options, ignore)
