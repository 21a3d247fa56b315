"""How far a fitted flow is from its density."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributions import Distribution

from vae_cli import noise
from vae_cli.distribution.relations import sample_with_log_prob
from vae_cli.energy.base import Energy

REACH = 7.0  # of the grid: from -REACH to REACH
POINTS = 225  # a side, 1/16 apart: the sums over an energy of the paper are exact to rounding
CHUNK = 10_000  # draws at once


def grid() -> Tensor:
    """Points of the plane, shape ``(POINTS, POINTS, 2)``, float64; rows go up."""
    side = torch.linspace(-REACH, REACH, POINTS, dtype=torch.float64)
    return torch.stack(torch.meshgrid(side, side, indexing="xy"), -1)


def log_integral(log_density: Tensor) -> Tensor:
    """log ∫ exp of what has the values ``(POINTS, POINTS, *)`` on the grid, shape ``(*,)``."""
    spacing = 2 * REACH / (POINTS - 1)
    return log_density.flatten(0, 1).logsumexp(0) + 2 * math.log(spacing)


def log_densities(energies: Sequence[Energy]) -> tuple[Tensor, Tensor]:
    """log p of E energies on the grid, ``(POINTS, POINTS, E)``, and their log Z, ``(E,)``."""
    log_p = torch.stack([-energy(grid()) for energy in energies], -1)
    log_z = log_integral(log_p)
    return log_p - log_z, log_z


class Divergence(NamedTuple):
    """How far E flows are from their densities: each ``(E,)``, float64."""

    kl: Tensor  # KL(q‖p) = E_q[log q + U] + log Z, nats
    kl_se: Tensor  # its standard error
    mass: Tensor  # ∫ q by a sum over the grid: 1, unless q lies outside or is finer than the grid
    log_q: Tensor  # on the grid, nats, (POINTS, POINTS, E)


def diverge(
    q: Distribution, energies: Sequence[Energy], log_z: Tensor, draws: int, seed: int
) -> Divergence:
    """Measures flows against their densities.

    Args:
        q: Batch shape ``(E,)``, best in float64.
        energies: E of them.
        log_z: Their log Z in nats, shape ``(E,)``.
        draws: Of each flow.
        seed: Of the draws.
    """
    gaps = []
    with torch.no_grad(), noise.stream(torch.device("cpu"), "measure", seed):
        for start in range(0, draws, CHUNK):
            z, log_q = sample_with_log_prob(q, torch.Size([min(CHUNK, draws - start)]))
            gaps.append(log_q + torch.stack([u(z[:, i]) for i, u in enumerate(energies)], 1))
        on_grid = q.log_prob(grid().unsqueeze(-2))
    gap = torch.cat(gaps)
    error = gap.std(0) / math.sqrt(draws)
    return Divergence(gap.mean(0) + log_z, error, log_integral(on_grid).exp(), on_grid)
