"""Gaussians that factorise over dimensions, from means and log-scales.

torch has them as ``Independent(Normal(...), 1)``. These work from the log-scale, which a network
gives, never from its exponential's logarithm, and take half the time on small models, where a
training step consists of little else.
"""

import math

import torch
from torch import Size, Tensor
from torch.distributions import Distribution, constraints, register_kl
from torch.types import _size

HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


def log_standard_normal(value: Tensor) -> Tensor:
    """log N(0, I) of vectors ``(*, D)``: nats, ``(*,)``."""
    return -0.5 * value.square().sum(-1) - value.shape[-1] * HALF_LOG_TWO_PI


class DiagonalNormal(Distribution):
    r""":math:`N(\mu, \mathrm{diag}\, \sigma^2)` on R^D.

    Args:
        loc: :math:`\mu`, shape ``(*batch, D)``.
        log_scale: :math:`\log \sigma`, of the same shape.
    """

    arg_constraints = {}  # noqa: RUF012  as torch.distributions has it
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, log_scale: Tensor) -> None:
        super().__init__(loc.shape[:-1], loc.shape[-1:], validate_args=False)
        self.loc, self.log_scale = loc, log_scale
        self.scale = torch.exp(log_scale)

    @property
    def mean(self) -> Tensor:
        """Shape ``(*batch, D)``."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """Shape ``(*batch, D)``."""
        return self.scale.square()

    def sample_with_log_prob(self, sample_shape: _size) -> tuple[Tensor, Tensor]:
        """Draws, ``(*sample_shape, *batch, D)``, and their log-density, from the same noise."""
        shape = Size(sample_shape) + self.loc.shape
        return self.from_noise(torch.randn(shape, dtype=self.loc.dtype, device=self.loc.device))

    def from_noise(self, noise: Tensor) -> tuple[Tensor, Tensor]:
        """What standard normal noise, ``(*, *batch, D)``, becomes, and its log-density."""
        log_prob = -(0.5 * noise.square() + self.log_scale + HALF_LOG_TWO_PI).sum(-1)
        return self.loc + self.scale * noise, log_prob

    def rsample(self, sample_shape: _size = ()) -> Tensor:
        """Draws through which gradients flow, shape ``(*sample_shape, *batch, D)``."""
        return self.sample_with_log_prob(sample_shape)[0]

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-density in nats, shape ``(*, *batch)``."""
        noise = (value - self.loc) / self.scale
        return -(0.5 * noise.square() + self.log_scale + HALF_LOG_TWO_PI).sum(-1)


class StandardNormal(Distribution):
    """N(0, I) on R^D.

    Args:
        loc: Zeros, shape ``(D,)``: they say the size, the type and the device.
    """

    arg_constraints = {}  # noqa: RUF012
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor) -> None:
        super().__init__(Size(), loc.shape, validate_args=False)
        self.loc = loc

    @property
    def mean(self) -> Tensor:
        """Shape ``(D,)``."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """Shape ``(D,)``."""
        return torch.ones_like(self.loc)

    def rsample(self, sample_shape: _size = ()) -> Tensor:
        """Draws, shape ``(*sample_shape, D)``."""
        shape = Size(sample_shape) + self.loc.shape
        return torch.randn(shape, dtype=self.loc.dtype, device=self.loc.device)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-density in nats, shape ``(*,)``."""
        return log_standard_normal(value)


def kl_from_standard(q: DiagonalNormal) -> Tensor:
    r""":math:`\tfrac12 (\mu^2 + \sigma^2 - 1) - \log \sigma` of each dimension, ``(*batch, D)``.

    (Kingma & Welling 2014, arXiv:1312.6114, appendix B.)
    """
    return 0.5 * (q.loc.square() + q.scale.square() - 1) - q.log_scale


@register_kl(DiagonalNormal, StandardNormal)
def _kl(q: DiagonalNormal, p: StandardNormal) -> Tensor:
    return kl_from_standard(q).sum(-1)
