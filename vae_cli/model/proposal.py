"""Where to draw z for log p(x): around the posterior's mode, not only where q(z|x) is."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from vae_cli.distribution.normal import log_standard_normal

NEWTON_STEPS = 4
STEP_SIZES = (1.0, 0.5, 0.25, 0.1, 0.0)  # of Newton's step: the best one is taken
LEAST_PRECISION = 0.05  # of the Gaussian, in any direction: q's own is 1
# Shares of the draws, and scales: most are where the posterior is, and some are wherever it might
# be. No weight is larger than 1 / share times what it would be with that component alone.
OF_Q = ((0.2, 1.0), (0.1, 2.0), (0.1, 4.0), (0.1, 8.0))
OF_MODE = ((0.3, 1.0), (0.1, 1.25), (0.1, 2.0))
COMPONENTS = (*OF_Q, *OF_MODE)

LogDensity = Callable[[Tensor], Tensor]  # of noise (*, B, D): nats, (*, B)


class Proposal(NamedTuple):
    r"""A mixture of Gaussians over the noise :math:`\epsilon` that z is made of.

    Some are q itself, N(0, I), at several scales; the others lie around the mode of
    :math:`p(\epsilon | x)`, with its curvature there (Laplace's approximation), at several scales.
    A posterior of another width, place or orientation than q is met by the second kind, and one
    with several modes by the wide ones of the first.

    Attributes:
        mode: Shape ``(B, D)``, float64.
        root: R with covariance R Rᵀ, upper triangular, ``(B, D, D)``, float64.
        inverse: Of R.
        log_det: log|det R|, ``(B,)``.
    """

    mode: Tensor
    root: Tensor
    inverse: Tensor
    log_det: Tensor

    def draw(self, samples: int) -> tuple[Tensor, Tensor]:
        """Noise, from each Gaussian its share of the draws, and the mixture's log-density there.

        Returns:
            ``(samples, B, D)`` and nats, ``(samples, B)``; float64.
        """
        counts = _counts([share for share, _ in COMPONENTS], samples)
        free = torch.randn(samples, *self.mode.shape, dtype=torch.float64, device=self.mode.device)
        scales = free.new_tensor([scale for _, scale in COMPONENTS])
        repeats = torch.tensor(counts, device=scales.device)
        free = free * scales.repeat_interleave(repeats)[:, None, None]
        of_q, of_mode = free.split([sum(counts[: len(OF_Q)]), sum(counts[len(OF_Q) :])])
        moved = self.mode + torch.einsum("bij,sbj->sbi", self.root, of_mode)
        noise = torch.cat([of_q, moved])
        return noise, self._log_prob(noise, counts)

    def _log_prob(self, noise: Tensor, counts: list[int]) -> Tensor:
        white = torch.einsum("bij,sbj->sbi", self.inverse, noise - self.mode)
        of_q = log_standard_normal(noise), torch.zeros_like(self.log_det)
        of_mode = log_standard_normal(white), self.log_det
        constant = log_standard_normal(noise.new_zeros(noise.shape[-1]))
        parts = [
            # The exponent of a Gaussian is divided by its squared scale.
            math.log(count / len(noise)) + (log_p - constant) / scale**2 + constant
            - noise.shape[-1] * math.log(scale) - log_det
            for count, (_, scale), (log_p, log_det) in zip(
                counts, COMPONENTS, [of_q] * len(OF_Q) + [of_mode] * len(OF_MODE), strict=True
            )
            if count > 0
        ]  # fmt: skip
        return torch.stack(parts).logsumexp(0)


def _counts(shares: list[float], samples: int) -> list[int]:
    """Draws of each share; together ``samples``."""
    edges = [round(samples * sum(shares[:i])) for i in range(len(shares) + 1)]
    return [end - start for start, end in pairwise(edges)]


def adapted_proposal(log_density: LogDensity, start: Tensor) -> Proposal:
    """The proposal for a density of noise, found by a few of Newton's steps.

    Args:
        log_density: Of the noise, up to a constant of each image; twice differentiable.
        start: From where to look for the mode, ``(B, D)``.
    """
    noise = start
    for _ in range(NEWTON_STEPS):
        gradient, precision = _curvature(log_density, noise)
        step = torch.linalg.solve(precision, gradient).to(noise)
        tried = torch.stack([noise + size * step for size in STEP_SIZES])
        best = log_density(tried).nan_to_num(-torch.inf).argmax(0)
        noise = tried[best, torch.arange(len(best), device=best.device)]
    _, precision = _curvature(log_density, noise)
    # Of the precision's triangular root L, the covariance's is its inverse transposed.
    lower = torch.linalg.cholesky(precision)
    inverse = lower.mT
    identity = torch.eye(noise.shape[-1], dtype=inverse.dtype, device=inverse.device)
    root = torch.linalg.solve_triangular(inverse, identity, upper=True)
    log_det = root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    return Proposal(noise.double(), root, inverse, log_det)


def _curvature(log_density: LogDensity, noise: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient, ``(B, D)``, and minus the Hessian, made positive definite, ``(B, D, D)``."""
    with torch.enable_grad():
        noise = noise.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(log_density(noise).sum(), noise, create_graph=True)
        # A density of one image depends on its own noise alone: one way back gives a row of all.
        rows = [
            torch.autograd.grad(each.sum(), noise, retain_graph=True)[0]
            for each in gradient.unbind(-1)
        ]
    hessian = torch.stack(rows, 1).double()
    values, vectors = torch.linalg.eigh(-(hessian + hessian.mT).nan_to_num() / 2)
    values = values.clamp_min(LEAST_PRECISION)
    return gradient.detach().double().nan_to_num(), vectors * values.unsqueeze(-2) @ vectors.mT
