"""Functions of distributions: a draw with its density, divergences, means."""

from functools import singledispatch

from torch import Size, Tensor
from torch.distributions import Distribution, Independent, kl_divergence
from torch.types import _size

from vae_cli.distribution.flow import FlowDistribution
from vae_cli.distribution.labelled import LabelledDistribution
from vae_cli.distribution.normal import DiagonalNormal, StandardNormal, kl_from_standard

MEAN_DRAWS = 16  # where a mean has no formula


@singledispatch
def rsample_with_log_prob(q: Distribution, sample_shape: _size = ()) -> tuple[Tensor, Tensor]:
    """Draws from q, ``(*sample_shape, B, D)``, and their log-density in nats.

    The same numbers as ``q.log_prob(q.rsample(sample_shape))``, by the fastest way q knows.
    """
    z = q.rsample(Size(sample_shape))
    return z, q.log_prob(z)


@rsample_with_log_prob.register(DiagonalNormal)
@rsample_with_log_prob.register(FlowDistribution)
@rsample_with_log_prob.register(LabelledDistribution)
def _(
    q: DiagonalNormal | FlowDistribution | LabelledDistribution, sample_shape: _size = ()
) -> tuple[Tensor, Tensor]:
    return q.rsample_with_log_prob(sample_shape)


def closed_form_kl(q: Distribution, p: Distribution) -> Tensor | None:
    """KL(q‖p) in nats where torch knows a formula for it, else None."""
    try:
        return kl_divergence(q, p)
    except NotImplementedError:
        return None


@singledispatch
def rsample_with_kl(
    q: Distribution, p: Distribution, sample_shape: _size = ()
) -> tuple[Tensor, Tensor, Tensor]:
    """Draws from q, their log-density, and KL(q‖p) with as little noise as is known how.

    Args:
        q: Batch shape ``(B,)``.
        p: Batch shape ``()``.
        sample_shape: Of the draws.

    Returns:
        z, ``(*sample_shape, B, D)``; log q(z), ``(*sample_shape, B)``; and of that shape, in nats,
        the formula of the KL where there is one, else log q(z) - log p(z).
    """
    z, log_q = rsample_with_log_prob(q, sample_shape)
    kl = closed_form_kl(q, p)
    return z, log_q, log_q - p.log_prob(z) if kl is None else kl.expand_as(log_q)


@rsample_with_kl.register
def _(
    q: FlowDistribution, p: Distribution, sample_shape: _size = ()
) -> tuple[Tensor, Tensor, Tensor]:
    r"""The formula for the base, draws for what the flow adds to it.

    .. math:: \mathrm{KL}(q_0 \| p)
              + \log p(z_0) - \log p(z_K) - \sum_k \log|\det J_k(z_{k-1})|

    has the mean of :math:`\log q_K(z_K) - \log p(z_K)`, since :math:`\log q_0(z_0) - \log p(z_0)`
    has that of the formula in its place, and no noise at all where the flow is the identity.
    """
    z_0, log_q_0 = q.base.rsample_with_log_prob(sample_shape)
    z, log_det = q.flow(z_0)
    log_q = log_q_0 - log_det
    kl_0 = closed_form_kl(q.base, p)
    if kl_0 is None:
        return z, log_q, log_q - p.log_prob(z)
    return z, log_q, kl_0 + p.log_prob(z_0) - p.log_prob(z) - log_det


def kl_per_dimension(q: Distribution, p: Distribution) -> Tensor | None:
    """KL(q‖p) of each latent dimension, ``(B, D)``, in nats.

    None where q or p does not factorise over dimensions: there it has no such parts.
    """
    if isinstance(q, DiagonalNormal) and isinstance(p, StandardNormal):
        return kl_from_standard(q)
    if isinstance(q, Independent) and isinstance(p, Independent):
        return closed_form_kl(q.base_dist, p.base_dist)
    return None


def closed_form_mean(q: Distribution) -> Tensor | None:
    """E_q[z] where there is a formula, else None."""
    try:
        return q.mean
    except NotImplementedError:
        return None


def mean(q: Distribution) -> Tensor:
    """E_q[z], exactly where there is a formula, else the average of 16 draws.

    Gradients flow through either.
    """
    exact = closed_form_mean(q)
    return q.rsample(Size((MEAN_DRAWS,))).mean(0) if exact is None else exact
