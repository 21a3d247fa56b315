"""What a draw of the latent variables consists of: z, and a label where the model has one."""

from typing import NamedTuple, Self

import torch
from torch import Tensor
from torch.nn.functional import one_hot


class Latent(NamedTuple):
    """z and the label of an example.

    Distributions and decoders handle one vector, the ``event``: z, then the label one-hot. Only
    this class knows that order.

    Example:
        >>> latent = Latent.with_label(torch.zeros(1, 2), torch.tensor([1]), classes=3)
        >>> latent.event
        tensor([[0., 0., 0., 1., 0.]])
        >>> Latent.of(latent.event, latent_dim=2).y
        tensor([[0., 1., 0.]])
    """

    z: Tensor  # (*, latent_dim)
    y: Tensor | None = None  # (*, K): one-hot, or the probabilities of the labels

    @classmethod
    def of(cls, event: Tensor, latent_dim: int) -> Self:
        """The parts of events ``(*, latent_dim)`` or ``(*, latent_dim + K)``."""
        has_label = event.shape[-1] > latent_dim
        return cls(event[..., :latent_dim], event[..., latent_dim:] if has_label else None)

    @classmethod
    def with_label(cls, z: Tensor, y: Tensor, classes: int) -> Self:
        """z, ``(*, D)``, with labels, whole numbers of shape ``(*)`` or expandable to it."""
        return cls(z, one_hot(y, classes).to(z))

    @property
    def event(self) -> Tensor:
        """The vector of all, ``(*, latent_dim)`` or ``(*, latent_dim + K)``."""
        if self.y is None:
            return self.z
        return torch.cat([self.z, self.y.expand(*self.z.shape[:-1], -1)], -1)
