"""The interface of likelihoods."""

from abc import ABC, abstractmethod

from torch import Size, Tensor, nn
from torch.distributions import Distribution
from torch.distributions.constraints import Constraint


class Likelihood(nn.Module, ABC):
    """p(x|z) as a function of the decoder's output.

    Args:
        shape: Shape of one example: ``(C, H, W)`` of an image, ``(D,)`` of a vector.

    Attributes:
        parameters_per_value: P, how many numbers the decoder gives for each value of x.
        support: Which values x may take.
    """

    parameters_per_value: int
    support: Constraint

    def __init__(self, shape: Size) -> None:
        super().__init__()
        self.shape = Size(shape)

    @property
    def dims(self) -> int:
        """The number of axes of one example."""
        return len(self.shape)

    @abstractmethod
    def forward(self, parameters: Tensor) -> Distribution:
        """The distribution of x.

        Args:
            parameters: Shape ``(*, P, *shape)``.

        Returns:
            A distribution with batch shape ``(*,)`` and event shape ``shape``.
        """
