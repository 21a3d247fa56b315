"""The diagonal Gaussian posterior."""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import softplus

from vae_cli.distribution.normal import DiagonalNormal
from vae_cli.errors import InvalidOption
from vae_cli.options import PositiveFloat, checked
from vae_cli.posterior.base import Posterior


class DiagonalPosterior(Posterior):
    r""":math:`q(z|x) = N(\mu(x), \mathrm{diag}\, \sigma^2(x))` (Kingma & Welling 2014).

    The features are first the means, then a number a for each scale.

    Args:
        latent_dim: D.
        variance: ``exp`` makes a the log-scale, :math:`\sigma^2 = e^{2a}`; ``softplus``
            :math:`\sigma^2 = \log(1 + e^a)`, 0.7 at a = 0 and growing slowly.
        variance_range: The smallest and the largest variance; None for no bounds. Where the
            likelihood weighs little at first (``objective.tempering=joint``), nothing else keeps
            the variances from growing far beyond the prior's.
    """

    @checked
    def __init__(
        self,
        latent_dim: int,
        variance: Literal["exp", "softplus"] = "exp",
        variance_range: Sequence[PositiveFloat] | None = None,
    ) -> None:
        super().__init__()
        bounds = variance_range or (0.0, math.inf)
        if len(bounds) != 2 or bounds[0] >= bounds[1]:
            rule = "needs two numbers, the smaller one first"
            raise InvalidOption("variance_range", list(bounds), rule, "Try [1e-4,5].")
        self.parameter_count = 2 * latent_dim
        self.variance, self.bounds = variance, bounds

    def forward(self, features: Tensor) -> DiagonalNormal:
        """See the base class."""
        mean, a = features.chunk(2, dim=-1)
        if self.variance == "softplus":
            a = 0.5 * softplus(a).clamp_min(torch.finfo(a.dtype).tiny).log()
        low, high = self.bounds
        if high < math.inf:
            a = a.clamp(0.5 * math.log(low), 0.5 * math.log(high))
        return DiagonalNormal(mean, a)
