"""What all energies share."""

from abc import ABC, abstractmethod

from torch import Tensor


class Energy(ABC):
    r"""A density :math:`p(z) = e^{-U(z)} / Z` on the plane, of which U is given.

    What matters of it lies within :math:`|z_i| < 6`: sums over a grid take no more of the plane.
    """

    @abstractmethod
    def __call__(self, z: Tensor) -> Tensor:
        """U in nats, shape ``(*,)``, at points of shape ``(*, 2)``."""
