"""The diagonal Gaussian posterior."""

from torch import Tensor

from vae_cli.distribution.normal import DiagonalNormal
from vae_cli.posterior.base import Posterior


class DiagonalPosterior(Posterior):
    r""":math:`q(z|x) = N(\mu(x), \mathrm{diag}\, \sigma^2(x))` (Kingma & Welling 2014).

    The features are first the means, then the log-scales.

    Args:
        latent_dim: D.
    """

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.parameter_count = 2 * latent_dim

    def forward(self, features: Tensor) -> DiagonalNormal:
        """See the base class."""
        return DiagonalNormal(*features.chunk(2, dim=-1))
