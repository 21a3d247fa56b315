"""The standard normal prior."""

import torch
from torch import Tensor

from vae_cli.distribution.normal import StandardNormal
from vae_cli.prior.base import Prior


class StandardPrior(Prior):
    """p(z) = N(0, I).

    Args:
        latent_dim: Number of dimensions of z.
    """

    loc: Tensor

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        # A buffer follows the module's device; zeros need no place in a checkpoint.
        self.register_buffer("loc", torch.zeros(latent_dim), persistent=False)

    def forward(self) -> StandardNormal:
        """See the base class."""
        return StandardNormal(self.loc)
