"""Normalizing flows: a simple density pushed through invertible maps."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.distributions import Distribution, Transform, constraints
from torch.types import _size

from vae_cli.distribution.normal import DiagonalNormal


class FlowTransform(Transform, ABC):
    """One invertible map of R^D, its parameters given per image.

    A map gets its value and its log-determinant out of the same intermediate results, so it
    computes them together; the interface of ``torch.distributions`` is derived from that.
    """

    domain = constraints.real_vector
    codomain = constraints.real_vector
    bijective = True

    @abstractmethod
    def transform(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The image of ``z``, shape ``(*, D)``, and log|det J| there in nats, shape ``(*,)``."""

    @abstractmethod
    def path(self, z: Tensor) -> list[Tensor]:
        """Where ``z``, shape ``(*, D)``, is after each of the maps that this is made of."""

    @abstractmethod
    def _inverse(self, y: Tensor) -> Tensor: ...

    def _call(self, x: Tensor) -> Tensor:
        return self.transform(x)[0]

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log|det J| at ``x``, in nats, shape ``(*,)``."""
        return self.transform(x)[1]


class FlowDistribution(Distribution):
    r"""The density of :math:`z_K = f_K \circ \dots \circ f_1(z_0)` with :math:`z_0 \sim q_0`.

    .. math:: \log q_K(z_K) = \log q_0(z_0) - \sum_k \log|\det J_k(z_{k-1})|

    (Rezende & Mohamed 2015, arXiv:1505.05770, equation 7.)

    Args:
        base: :math:`q_0`, batch shape ``(B,)``, event shape ``(D,)``.
        transforms: :math:`f_1, \dots, f_K` in the order in which they are applied.
    """

    arg_constraints = {}  # noqa: RUF012  as torch.distributions has it
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, base: DiagonalNormal, transforms: Sequence[FlowTransform]) -> None:
        super().__init__(base.batch_shape, base.event_shape, validate_args=False)
        self.base, self.transforms = base, tuple(transforms)

    def flow(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """:math:`z_K` for :math:`z_0`, ``(*, B, D)``, and the sum of log-dets, ``(*, B)``."""
        total = torch.zeros((), dtype=z.dtype, device=z.device)
        for transform in self.transforms:
            z, log_det = transform.transform(z)
            total = total + log_det
        return z, total

    def path(self, z: Tensor) -> list[Tensor]:
        """z_0 and where it is after each map, z_1 to z_K: each ``(*, B, D)``."""
        points = [z]
        for transform in self.transforms:
            points += transform.path(points[-1])
        return points

    def sample_with_log_prob(self, sample_shape: _size) -> tuple[Tensor, Tensor]:
        """Draws, ``(*sample_shape, B, D)``, and their log-density in nats, without inverting."""
        return self._carried(*self.base.sample_with_log_prob(sample_shape))

    def from_noise(self, noise: Tensor) -> tuple[Tensor, Tensor]:
        """What standard normal noise, ``(*, B, D)``, becomes, and its log-density."""
        return self._carried(*self.base.from_noise(noise))

    def _carried(self, z_0: Tensor, log_prob: Tensor) -> tuple[Tensor, Tensor]:
        """Points of the base with their log-density there, carried through the flow."""
        z, log_det = self.flow(z_0)
        return z, log_prob - log_det

    def rsample(self, sample_shape: _size = ()) -> Tensor:
        """Draws through which gradients flow, shape ``(*sample_shape, B, D)``."""
        return self.sample_with_log_prob(sample_shape)[0]

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-density in nats of any points, by going through the flow backwards."""
        log_det = torch.zeros((), dtype=value.dtype, device=value.device)
        for transform in reversed(self.transforms):
            value = transform.inv(value)
            log_det = log_det + transform.transform(value)[1]
        return self.base.log_prob(value) - log_det
