"""Independent Bernoulli values, from logits."""

import torch
from torch import Size, Tensor
from torch.distributions import Distribution, constraints
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.types import _size


class BernoulliImage(Distribution):
    """Images of independent binary values.

    The same as ``Independent(Bernoulli(logits=...), 3)``, with fewer passes over the pixels,
    which are most of what a training step handles outside matrix products.

    Args:
        logits: Shape ``(*batch, C, H, W)``.
    """

    arg_constraints = {}  # noqa: RUF012  as torch.distributions has it
    support = constraints.independent(constraints.boolean, 3)

    def __init__(self, logits: Tensor) -> None:
        super().__init__(logits.shape[:-3], logits.shape[-3:], validate_args=False)
        self.logits = logits

    @property
    def mean(self) -> Tensor:
        """The probability of 1, shape ``(*batch, C, H, W)``."""
        return torch.sigmoid(self.logits)

    @property
    def variance(self) -> Tensor:
        """p (1 - p), shape ``(*batch, C, H, W)``."""
        return torch.sigmoid(self.logits) * torch.sigmoid(-self.logits)

    @torch.no_grad()
    def sample(self, sample_shape: _size = ()) -> Tensor:
        """Binary images, shape ``(*sample_shape, *batch, C, H, W)``."""
        return torch.bernoulli(self.mean.expand(Size(sample_shape) + self.logits.shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-probability in nats, shape ``(*, *batch)``."""
        logits, value = torch.broadcast_tensors(self.logits, value)
        error = binary_cross_entropy_with_logits(logits, value, reduction="none")
        return -error.flatten(-3).sum(-1)
