"""A point, as a distribution."""

import torch
from torch import Size, Tensor
from torch.distributions import Distribution, constraints
from torch.types import _size


class Point(Distribution):
    """All its mass at one vector, which every draw gives: it has no density.

    Args:
        code: The vector, shape ``(*batch, D)``.
    """

    arg_constraints = {}  # noqa: RUF012  as torch.distributions has it
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, code: Tensor) -> None:
        super().__init__(code.shape[:-1], code.shape[-1:], validate_args=False)
        self.code = code

    @property
    def mean(self) -> Tensor:
        """The vector, shape ``(*batch, D)``."""
        return self.code

    @property
    def variance(self) -> Tensor:
        """Zeros, shape ``(*batch, D)``."""
        return torch.zeros_like(self.code)

    def rsample(self, sample_shape: _size = ()) -> Tensor:
        """The vector again and again, shape ``(*sample_shape, *batch, D)``."""
        return self.code.expand(Size(sample_shape) + self.code.shape)
