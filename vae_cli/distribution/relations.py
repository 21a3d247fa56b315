"""Functions of distributions: a draw with its density, divergences, means."""

from functools import singledispatch

from torch import Size, Tensor
from torch.distributions import Distribution, Independent, kl_divergence
from torch.types import _size

from vae_cli.distribution.flow import FlowDistribution
from vae_cli.distribution.normal import DiagonalNormal, StandardNormal, kl_from_standard


@singledispatch
def rsample_with_log_prob(q: Distribution, sample_shape: _size = ()) -> tuple[Tensor, Tensor]:
    """Draws from q, ``(*sample_shape, B, D)``, and their log-density in nats.

    The same numbers as ``q.log_prob(q.rsample(sample_shape))``, by the fastest way q knows.
    """
    z = q.rsample(Size(sample_shape))
    return z, q.log_prob(z)


@rsample_with_log_prob.register(DiagonalNormal)
@rsample_with_log_prob.register(FlowDistribution)
def _(q: DiagonalNormal | FlowDistribution, sample_shape: _size = ()) -> tuple[Tensor, Tensor]:
    return q.rsample_with_log_prob(sample_shape)


def closed_form_kl(q: Distribution, p: Distribution) -> Tensor | None:
    """KL(q‖p) in nats where torch knows a formula for it, else None."""
    try:
        return kl_divergence(q, p)
    except NotImplementedError:
        return None


def kl_per_dimension(q: Distribution, p: Distribution) -> Tensor | None:
    """KL(q‖p) of each latent dimension, ``(B, D)``, in nats.

    None where q or p does not factorise over dimensions: there it has no such parts.
    """
    if isinstance(q, DiagonalNormal) and isinstance(p, StandardNormal):
        return kl_from_standard(q)
    if isinstance(q, Independent) and isinstance(p, Independent):
        return closed_form_kl(q.base_dist, p.base_dist)
    return None


def mean(q: Distribution, samples: int) -> Tensor:
    """E_q[z], exactly where there is a formula, else the average of so many draws."""
    try:
        return q.mean
    except NotImplementedError:
        return q.sample(Size((samples,))).mean(0)
