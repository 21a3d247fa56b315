"""The interface of likelihoods."""

from abc import ABC, abstractmethod

from torch import Tensor, nn
from torch.distributions import Distribution
from torch.distributions.constraints import Constraint


class Likelihood(nn.Module, ABC):
    """p(x|z) as a function of what the decoder says of z.

    Attributes:
        parameters_per_value: How many numbers the decoder must give for each value of x.
        support: Which values x may take.
    """

    parameters_per_value: int
    support: Constraint

    @abstractmethod
    def forward(self, features: Tensor) -> Distribution:
        """The distribution of x.

        Args:
            features: Shape ``(..., parameters_per_value * C, H, W)``.

        Returns:
            A distribution with batch shape ``(...,)`` and event shape ``(C, H, W)``.
        """
