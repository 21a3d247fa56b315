"""The standard normal prior."""

import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from vae_cli.prior.base import Prior


class StandardPrior(Prior):
    """p(z) = N(0, I).

    Args:
        latent_dim: Number of dimensions of z.
    """

    loc: Tensor
    scale: Tensor

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        # Buffers that follow the module's device; constants need no place in a checkpoint.
        self.register_buffer("loc", torch.zeros(latent_dim), persistent=False)
        self.register_buffer("scale", torch.ones(latent_dim), persistent=False)

    def forward(self) -> Independent:
        """See the base class."""
        return Independent(Normal(self.loc, self.scale, validate_args=False), 1, validate_args=False)
