"""Fits flows to densities that are known but for a factor."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vae_cli import noise
from vae_cli.distribution.relations import sample_with_log_prob
from vae_cli.energy.base import Energy
from vae_cli.errors import TrainingError
from vae_cli.posterior.base import Posterior

FIRST_WEIGHT = 0.01  # of the energy; Rezende & Mohamed 2015, section 6.1
# Standard deviations with which the maps' parameters start, from the first restart to the last:
# radial maps do best near the lower one, planar maps near the upper.
START_SCALES = (1.0, 3.0)
START_LOG_SCALE = 0.7  # of q_0: twice as wide as N(0, 1), to reach every part of the density
CHOOSING_DRAWS = 10_000  # of each restart, to tell which is best
NUMBERS_PER_MAP = 2  # kept of each draw, at least
FLOAT_BYTES = 4


@dataclass(frozen=True)
class FitOptions:
    """How to fit.

    Attributes:
        steps: Of the optimizer.
        restarts: Fits from different starts, side by side.
        samples: Draws a step and restart.
        warmup: Share of the steps over which the energy's weight grows to 1.
        lr: Of Adam, at first.
        seed: Of the starts and all draws.
    """

    steps: int
    restarts: int
    samples: int
    warmup: float
    lr: float
    seed: int


def memory_of_fits(lengths: Sequence[int], energies: int, options: FitOptions) -> int:
    """Bytes that fits take at most: what the gradient needs of each map, and of each draw.

    Args:
        lengths: Maps in a row, of each fit.
        energies: How many densities there are.
        options: How to fit.
    """
    draws = options.restarts * max(options.samples, CHOOSING_DRAWS)
    return NUMBERS_PER_MAP * FLOAT_BYTES * max(lengths) * draws * energies


def fit_posterior(
    posterior: Posterior,
    energies: Sequence[Energy],
    options: FitOptions,
    after_step: Callable[[int], None],
) -> Tensor:
    r"""Minimises :math:`E_q[\log q(z) + \beta_t U(z)]`, for each energy separately.

    :math:`\beta_t` grows to 1 (Rezende & Mohamed 2015, arXiv:1505.05770, equation 20): at first
    q spreads over all of the plane that is of interest, and later keeps to where p is. Energies
    and restarts are the batch of one distribution, which costs little more than a single fit.

    Args:
        posterior: The family, of two dimensions; its parameters are free, not a network's.
        energies: E of them.
        options: How to fit.
        after_step: Called with the number of steps taken.

    Returns:
        Parameters of the best restart of each, shape ``(E, posterior.parameter_count)``.

    Raises:
        TrainingError: If no restart of one of them ended in numbers.
    """
    cpu = torch.device("cpu")
    parameters = _starts(posterior, len(energies), options).requires_grad_()
    optimizer = torch.optim.Adam([parameters], lr=options.lr, fused=True)
    for step in range(options.steps):
        weight = _weight(step, options)
        with noise.stream(cpu, "fit", options.seed, step):
            loss = _free_energy(posterior, energies, parameters, options.samples, weight)
        optimizer.param_groups[0]["lr"] = options.lr * _cosine(step / options.steps)
        optimizer.zero_grad()
        loss.sum().backward()  # each fit has its own parameters, so the sum separates
        optimizer.step()
        after_step(step + 1)
    with torch.no_grad(), noise.stream(cpu, "choose", options.seed):
        scores = _free_energy(posterior, energies, parameters, CHOOSING_DRAWS, 1.0)
    scores = scores.nan_to_num(math.inf)
    if not scores.amin(1).isfinite().all():
        raise TrainingError("every restart of a fit ended in NaN or infinity. Try a smaller lr.")
    return parameters.detach()[torch.arange(len(energies)), scores.argmin(1)]


def _starts(posterior: Posterior, energies: int, options: FitOptions) -> Tensor:
    """Shape ``(E, restarts, parameters)``. Those of q_0, mean and log-scale, come first."""
    generator = noise.generator("cpu", "starts", options.seed)
    shape = (energies, options.restarts, posterior.parameter_count)
    scales = torch.linspace(*START_SCALES, options.restarts).unsqueeze(-1)
    starts = scales * torch.randn(shape, generator=generator)
    starts[..., :2], starts[..., 2:4] = 0.0, START_LOG_SCALE
    return starts


def _free_energy(
    posterior: Posterior,
    energies: Sequence[Energy],
    parameters: Tensor,
    samples: int,
    weight: float,
) -> Tensor:
    """E[log q + weight · U] of each fit from draws, in nats, shape ``(E, restarts)``."""
    z, log_q = sample_with_log_prob(posterior(parameters), torch.Size([samples]))
    energy = torch.stack([u(z[:, i]) for i, u in enumerate(energies)], 1)
    return (log_q + weight * energy).mean(0)


def _weight(step: int, options: FitOptions) -> float:
    warmup = options.warmup * options.steps
    return min(1.0, FIRST_WEIGHT + step / warmup) if warmup else 1.0


def _cosine(share: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * share))
