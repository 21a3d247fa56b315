"""The diagonal Gaussian posterior."""

import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from vae_cli.posterior.base import Posterior


def diagonal_normal(features: Tensor) -> Independent:
    """A diagonal Gaussian from ``(..., 2 D)`` numbers, first its means, then its log-scales."""
    loc, log_scale = features.chunk(2, dim=-1)
    normal = Normal(loc, torch.exp(log_scale), validate_args=False)
    return Independent(normal, 1, validate_args=False)


class DiagonalPosterior(Posterior):
    r""":math:`q(z|x) = N(\mu(x), \mathrm{diag}\, \sigma^2(x))` (Kingma & Welling 2014).

    Args:
        latent_dim: D.
    """

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.parameter_count = 2 * latent_dim

    def forward(self, features: Tensor) -> Independent:
        """See the base class."""
        return diagonal_normal(features)
