"""Independent Bernoulli values, from logits."""

import torch
from torch import Size, Tensor
from torch.distributions import Distribution, constraints
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.types import _size


class IndependentBernoulli(Distribution):
    """Examples of independent binary values.

    The same as ``Independent(Bernoulli(logits=...), dims)``, with fewer passes over the values,
    which are most of what a training step handles outside matrix products.

    Args:
        logits: Shape ``(*batch, *shape)``.
        dims: The number of axes of ``shape``.
    """

    arg_constraints = {}  # noqa: RUF012  as torch.distributions has it

    def __init__(self, logits: Tensor, dims: int) -> None:
        super().__init__(logits.shape[:-dims], logits.shape[-dims:], validate_args=False)
        self.logits, self.dims = logits, dims

    @property
    def support(self) -> constraints.Constraint:
        """Zeros and ones."""
        return constraints.independent(constraints.boolean, self.dims)

    @property
    def mean(self) -> Tensor:
        """The probability of 1, shape ``(*batch, *shape)``."""
        return torch.sigmoid(self.logits)

    @property
    def variance(self) -> Tensor:
        """p (1 - p), shape ``(*batch, *shape)``."""
        return torch.sigmoid(self.logits) * torch.sigmoid(-self.logits)

    @torch.no_grad()
    def sample(self, sample_shape: _size = ()) -> Tensor:
        """Binary values, shape ``(*sample_shape, *batch, *shape)``."""
        return torch.bernoulli(self.mean.expand(Size(sample_shape) + self.logits.shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-probability in nats, shape ``(*, *batch)``."""
        logits, value = torch.broadcast_tensors(self.logits, value)
        error = binary_cross_entropy_with_logits(logits, value, reduction="none")
        return -error.flatten(-self.dims).sum(-1)
