"""A label and a vector together."""

from collections.abc import Callable

import torch
from torch import Size, Tensor
from torch.distributions import Categorical, Distribution, constraints
from torch.nn.functional import one_hot
from torch.types import _size

from vae_cli.distribution.latent import Latent

ROWS = 10_000  # of vectors of one class each, for which there is a distribution at once


class LabelledDistribution(Distribution):
    r""":math:`q(y)\, q(z|y)`, of one of K classes and a vector z.

    An event has both, ``(D + K,)`` (``vae_cli.distribution.latent``), so that whatever passes a z
    on (a decoder, a chain, a picture) passes the label on, too.

    Args:
        log_label: :math:`\log q(y)`, nats, shape ``(*batch, K)``.
        given: :math:`q(z|y)` for one-hot labels of shape ``(*sample, *batch, K)``: a distribution
            of batch shape ``(*sample, *batch)``, or ``()`` where z does not depend on anything.
        latent_dim: D.
    """

    arg_constraints = {}  # noqa: RUF012  as torch.distributions has it
    support = constraints.real_vector

    def __init__(
        self, log_label: Tensor, given: Callable[[Tensor], Distribution], latent_dim: int
    ) -> None:
        self.log_label, self.given, self.latent_dim = log_label, given, latent_dim
        self.classes = log_label.shape[-1]
        event_shape = Size([latent_dim + self.classes])
        super().__init__(log_label.shape[:-1], event_shape, validate_args=False)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]  # torch has a class attribute
        """Whether a gradient flows through draws of z; through the label's choice none does."""
        return bool(self.most_probable().has_rsample)

    @property
    def mean(self) -> Tensor:
        r""":math:`\sum_y q(y) E[z|y]` and the probabilities of the labels, ``(*batch, D + K)``."""
        return self.average(lambda q: q.mean)

    def average(self, estimate: Callable[[Distribution], Tensor]) -> Tensor:
        r""":math:`\sum_y q(y)` of estimates of E[z|y], and the probabilities of the labels.

        Args:
            estimate: Takes q(z|y) of some classes, batch shape ``(k, *batch)`` or ``()``, and
                gives ``(*sample, *that, D)``.

        Returns:
            Shape ``(*sample, *batch, D + K)``.
        """
        probability = self.log_label.exp()
        labels = self._each_class()
        shares = probability.movedim(-1, 0).unsqueeze(-1).split([len(y) for y in labels])
        parts = []
        for y, share in zip(labels, shares, strict=True):
            q = self.given(y)
            z = estimate(q)
            if not q.batch_shape:  # z does not depend on anything
                z = z[(..., *[None] * (y.dim() - 1), slice(None))]
            parts.append((share * z).sum(-y.dim()))
        mean = torch.stack(parts).sum(0)
        return Latent(mean, probability).event

    def _each_class(self) -> list[Tensor]:
        """One-hot labels, ``(K, *1, K)``, in parts of which each is the same for all."""
        eye = torch.eye(self.classes, dtype=self.log_label.dtype, device=self.log_label.device)
        eye = eye.view(self.classes, *[1] * len(self.batch_shape), self.classes)
        return list(eye.split(max(1, ROWS // max(self.batch_shape.numel(), 1))))

    def most_probable(self) -> Distribution:
        """q(z|y) for the y of the largest q(y), of batch shape ``(*batch,)``."""
        return self.given(one_hot(self.log_label.argmax(-1), self.classes).to(self.log_label))

    def sample_with_log_prob(self, sample_shape: _size) -> tuple[Tensor, Tensor]:
        """Draws, ``(*sample_shape, *batch, D + K)``, and their log-density, nats.

        Gradients flow through z, and through the density of the label but not through its choice.
        """
        label = Categorical(logits=self.log_label, validate_args=False).sample(Size(sample_shape))
        y = one_hot(label, self.classes).to(self.log_label)
        q = self.given(y)
        z = q.rsample(y.shape[: y.dim() - 1 - len(q.batch_shape)])
        return Latent(z, y).event, q.log_prob(z) + self._log_label_of(y)

    def rsample(self, sample_shape: _size = ()) -> Tensor:
        """Draws, ``(*sample_shape, *batch, D + K)``, differentiable in z alone."""
        return self.sample_with_log_prob(sample_shape)[0]

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-density in nats, shape ``(*, *batch)``; labels are to be one-hot."""
        z, y = Latent.of(value, self.latent_dim)
        assert y is not None
        return self.given(y).log_prob(z) + self._log_label_of(y)

    def _log_label_of(self, y: Tensor) -> Tensor:
        # No product with y: where a class is impossible, 0 times minus infinity is NaN.
        log_label, label = torch.broadcast_tensors(self.log_label, y)
        return log_label.gather(-1, label.argmax(-1, keepdim=True)).squeeze(-1)
