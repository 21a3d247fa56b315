"""The interface of approximate posteriors."""

from abc import ABC, abstractmethod

from torch import Tensor, nn
from torch.distributions import Distribution


class Posterior(nn.Module, ABC):
    """q(z|x) as a function of what a network says of x. It has no layers.

    Attributes:
        parameter_count: How many numbers the network must give for each image.
    """

    parameter_count: int

    @abstractmethod
    def forward(self, features: Tensor) -> Distribution:
        """The posterior for features of shape ``(B, parameter_count)``.

        Returns:
            A distribution with batch shape ``(B,)``, event shape ``(latent_dim,)``,
            reparameterized, with a ``log_prob`` at any point.
        """
