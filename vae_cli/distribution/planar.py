"""The planar map of Rezende & Mohamed."""

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

from vae_cli.distribution.flow import FlowTransform

IDENTITY = math.log(math.e - 1)  # softplus(IDENTITY) = 1
NEWTON_STEPS = 60  # each at least halves the bracket or the step: enough for float64


class PlanarTransform(FlowTransform):
    r"""Moves points along one direction, by an amount read off another.

    .. math:: f(z) = z + \hat u\, t, \quad t = \tanh(w^\top z + b), \qquad
              \log|\det J| = \log(t^2 + (1 - t^2)\, s), \quad s = 1 + w^\top \hat u

    :math:`\hat u = u + (s - 1 - w^\top u)\, w / \|w\|^2` is ``u`` moved along ``w`` until
    :math:`w^\top \hat u > -1`, which makes the map invertible (Rezende & Mohamed 2015,
    arXiv:1505.05770, appendix A.1). Written so, the determinant stays positive in float32
    however negative :math:`w^\top u` is.

    The paper takes :math:`s = \mathrm{softplus}(w^\top u)`; here it is
    :math:`\mathrm{softplus}(w^\top u + \log(e - 1))`, the same family of maps with another
    origin: u = 0 is then the identity, and :math:`\hat u` stays bounded as w goes to 0, where
    the paper's grows like 0.3/‖w‖.

    Args:
        w, u: Directions, shape ``(*batch, D)``.
        b: Offset, shape ``(*batch,)``.
    """

    def __init__(self, w: Tensor, u: Tensor, b: Tensor) -> None:
        super().__init__()
        tiny = torch.finfo(w.dtype).tiny
        self.w, self.b = w, b
        along = (w * u).sum(-1)
        self.slack = softplus(along + IDENTITY).clamp_min(tiny)
        # slack - 1 - along, around along = 0 in a form in which nothing cancels.
        near = torch.log1p(torch.expm1(along.clamp(-1, 1)) * (1 - 1 / math.e)) - along
        excess = torch.where(along.abs() < 1, near, self.slack - 1 - along)
        norm = w.square().sum(-1).clamp_min(tiny)
        self.u_hat = u + (excess / norm).unsqueeze(-1) * w

    def transform(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """See the base class."""
        t = torch.tanh((self.w * z).sum(-1) + self.b)
        squared = t.square()
        return z + self.u_hat * t.unsqueeze(-1), torch.log(squared + (1 - squared) * self.slack)

    def _inverse(self, y: Tensor) -> Tensor:
        r"""Solves :math:`a + (s - 1) \tanh(a + b) = w^\top y` for :math:`a = w^\top z`.

        The left side grows with a, so the root is single. Newton's steps are taken while they
        stay in a bracket and halve in length, else the bracket is halved; the last one carries
        the gradient (implicit differentiation).
        """
        target = (self.w * y).sum(-1)
        with torch.no_grad():
            reach = (self.slack - 1).abs()
            low, high = target - reach, target + reach
            a, length = target, 2 * reach
            for _ in range(NEWTON_STEPS):
                error, slope = self._residual(a, target)
                low = torch.where(error < 0, a, low)
                high = torch.where(error < 0, high, a)
                step = error / slope
                # Without the demand on its length Newton can go in circles within the bracket.
                is_good = (a - step > low) & (a - step < high) & (2 * step.abs() < length)
                a = torch.where(is_good, a - step, (low + high) / 2)
                length = torch.where(is_good, step.abs(), (high - low) / 2)
            slope = self._residual(a, target)[1]
        a = a - self._residual(a, target)[0] / slope
        return y - self.u_hat * torch.tanh(a + self.b).unsqueeze(-1)

    def _residual(self, a: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        t = torch.tanh(a + self.b)
        slope = (t.square() + (1 - t.square()) * self.slack).clamp_min(torch.finfo(a.dtype).tiny)
        return a + (self.slack - 1) * t - target, slope
