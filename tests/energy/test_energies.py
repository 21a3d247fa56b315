import math
from pathlib import Path

import pytest
import torch
from energies import ENERGIES
from scipy.integrate import dblquad

from vae_cli import conf
from vae_cli.approximation.measure import log_densities

POINTS = [(0.0, 0.0), (1.0, -1.5), (-2.0, 0.3), (2.5, -1.0), (0.7, 1.1), (-3.9, 0.5), (3.0, -2.0)]
every = pytest.mark.parametrize("name", ENERGIES)


@every
def test_is_its_formula(name: str) -> None:
    energy, formula, _ = ENERGIES[name]
    expected = torch.tensor([formula(*point) for point in POINTS], dtype=torch.float64)
    found = energy(torch.tensor(POINTS, dtype=torch.float64))
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-12)


@every
def test_normalizer_is_that_of_integration(name: str) -> None:
    energy, formula, scales = ENERGIES[name]
    log_p, log_z = log_densities([energy])
    if scales is None:
        expected, _ = dblquad(lambda y, x: math.exp(-formula(x, y)), -5, 5, -5, 5, epsabs=1e-6)
    else:  # Gaussians across, and the walls are two halves of one along
        expected = math.sqrt(2 * math.pi) * scales * (8 + math.sqrt(2 * math.pi) * 0.4)
    assert log_z.exp().item() == pytest.approx(expected, rel=1e-6)
    # Nothing of it is cut off at the edges of the grid.
    assert torch.stack([log_p[0], log_p[-1], log_p[:, 0], log_p[:, -1]]).max() < -10


@every
def test_far_away_it_is_finite_in_float32(name: str) -> None:
    z = torch.tensor([[30.0, -40.0], [-50.0, 60.0], [0.0, 0.0]], requires_grad=True)
    energy = ENERGIES[name].energy(z)
    (slope,) = torch.autograd.grad(energy.sum(), z)
    assert energy.isfinite().all() and slope.isfinite().all()


def test_every_yaml_has_its_row() -> None:
    files = Path(conf.__path__[0], "energy").glob("*.yaml")
    assert {file.stem for file in files} == set(ENERGIES)
