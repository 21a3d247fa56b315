"""The interface of priors."""

from abc import ABC, abstractmethod

from torch import nn
from torch.distributions import Distribution


class Prior(nn.Module, ABC):
    """p(z); a module, since it may have parameters."""

    @abstractmethod
    def forward(self) -> Distribution:
        """The prior: batch shape ``()``, event shape ``(latent_dim,)``."""
