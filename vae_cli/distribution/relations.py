"""Functions of distributions: a draw with its density, divergences, means."""

from functools import lru_cache, singledispatch

import numpy as np
import torch
from torch import Size, Tensor
from torch.distributions import Distribution, Independent, MultivariateNormal, kl_divergence
from torch.types import _size

from vae_cli import noise as streams
from vae_cli.distribution.flow import FlowDistribution
from vae_cli.distribution.labelled import LabelledDistribution
from vae_cli.distribution.normal import (
    HALF_LOG_TWO_PI,
    DiagonalNormal,
    StandardNormal,
    kl_from_standard,
)

MEAN_DRAWS = 16  # where a mean has no formula: eight pairs


@singledispatch
def sample_with_log_prob(q: Distribution, sample_shape: _size = ()) -> tuple[Tensor, Tensor]:
    """Draws from q, ``(*sample_shape, B, D)``, and their log-density in nats.

    The same numbers as ``q.log_prob`` of a draw, by the fastest way q knows. ``q.has_rsample`` says
    whether draws carry a gradient.
    """
    z = _draw(q, sample_shape)
    return z, q.log_prob(z)


def _draw(q: Distribution, sample_shape: _size) -> Tensor:
    shape = Size(sample_shape)
    return q.rsample(shape) if q.has_rsample else q.sample(shape)


@sample_with_log_prob.register(DiagonalNormal)
@sample_with_log_prob.register(FlowDistribution)
@sample_with_log_prob.register(LabelledDistribution)
def _(
    q: DiagonalNormal | FlowDistribution | LabelledDistribution, sample_shape: _size = ()
) -> tuple[Tensor, Tensor]:
    return q.sample_with_log_prob(sample_shape)


@singledispatch
def from_noise(q: Distribution, noise: Tensor) -> tuple[Tensor, Tensor]:
    """The draws from q that given noise becomes, and their log-density in nats: without chance.

    Args:
        q: Batch shape ``(B,)``.
        noise: Standard normal, ``(*, B, D)``.

    Raises:
        NotImplementedError: If q's draws are not known to come from such noise.
    """
    raise NotImplementedError(f"{type(q).__name__} does not draw from Gaussian noise")


@from_noise.register(DiagonalNormal)
@from_noise.register(FlowDistribution)
def _(q: DiagonalNormal | FlowDistribution, noise: Tensor) -> tuple[Tensor, Tensor]:
    return q.from_noise(noise)


@from_noise.register
def _(q: MultivariateNormal, noise: Tensor) -> tuple[Tensor, Tensor]:
    z = q.loc + (q.scale_tril @ noise.unsqueeze(-1)).squeeze(-1)
    log_det = q.scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    return z, -(0.5 * noise.square() + HALF_LOG_TWO_PI).sum(-1) - log_det


def closed_form_kl(q: Distribution, p: Distribution) -> Tensor | None:
    """KL(q‖p) in nats where torch knows a formula for it, else None."""
    try:
        return kl_divergence(q, p)
    except NotImplementedError:
        return None


@singledispatch
def sample_with_kl(
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
    z, log_q = sample_with_log_prob(q, sample_shape)
    kl = closed_form_kl(q, p)
    return z, log_q, log_q - p.log_prob(z) if kl is None else kl.expand_as(log_q)


@sample_with_kl.register
def _(
    q: FlowDistribution, p: Distribution, sample_shape: _size = ()
) -> tuple[Tensor, Tensor, Tensor]:
    r"""The formula for the base, draws for what the flow adds to it.

    .. math:: \mathrm{KL}(q_0 \| p)
              + \log p(z_0) - \log p(z_K) - \sum_k \log|\det J_k(z_{k-1})|

    has the mean of :math:`\log q_K(z_K) - \log p(z_K)`, since :math:`\log q_0(z_0) - \log p(z_0)`
    has that of the formula in its place, and no noise at all where the flow is the identity.
    """
    z_0, log_q_0 = q.base.sample_with_log_prob(sample_shape)
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


@singledispatch
def pair_means(q: Distribution, pairs: int, is_fixed: bool) -> Tensor:
    """Unbiased estimates of E_q[z], each the mean of two draws, ``(pairs, *batch, D)``.

    The two draws are those of opposite noise where q is a map of Gaussian noise, and independent
    otherwise. Opposite noise removes all odd terms of the map from the error (Hammersley & Morton
    1956, A new Monte Carlo technique: antithetic variates): a map near an affine one has hardly
    any error.

    Args:
        q: Batch shape ``(*batch,)``.
        pairs: How many.
        is_fixed: Take the same noise for every image and every call, so that the estimate is a
            function of q alone. Else the default generator draws it for each image. It also draws
            where q is no map of Gaussian noise.
    """
    return _draw(q, (2, pairs)).mean(0)


@pair_means.register
def _(q: FlowDistribution, pairs: int, is_fixed: bool) -> Tensor:
    loc = q.base.loc
    if is_fixed:
        shape = (pairs, *[1] * len(q.batch_shape), loc.shape[-1])
        noise = torch.tensor(_fixed_normal(pairs, loc.shape[-1])).to(loc).view(shape)
    else:
        noise = torch.randn(pairs, *loc.shape, dtype=loc.dtype, device=loc.device)
    return q.from_noise(torch.stack([noise, -noise]))[0].mean(0)


@pair_means.register
def _(q: LabelledDistribution, pairs: int, is_fixed: bool) -> Tensor:
    return q.average(lambda given: pair_means(given, pairs, is_fixed))


@lru_cache(maxsize=16)
def _fixed_normal(pairs: int, dimensions: int) -> np.ndarray:
    """Standard normal draws, ``(pairs, dimensions)``, that are always the same."""
    generator = np.random.Generator(np.random.Philox(key=streams.stream_seed("mean")))
    return generator.standard_normal((pairs, dimensions))


def mean(q: Distribution, draws: int = MEAN_DRAWS) -> Tensor:
    """E_q[z], exactly where there is a formula, else the average of draws in pairs.

    It is a function of q: where q is a map of Gaussian noise, the noise is fixed. Gradients flow
    through it.

    Args:
        q: Batch shape ``(*batch,)``.
        draws: Their number, where there is no formula. Of an odd number the last is left out.
    """
    exact = closed_form_mean(q)
    return pair_means(q, draws // 2, is_fixed=True).mean(0) if exact is None else exact


def mean_and_variance(q: Distribution, draws: int, is_fixed: bool = True) -> tuple[Tensor, Tensor]:
    """E_q[z] and the variance of its error, both ``(*batch, D)``; 0 where there is a formula.

    Args:
        q: Batch shape ``(*batch,)``.
        draws: As of ``mean``, four at least: the variance is that of the means of pairs.
        is_fixed: As of ``pair_means``.
    """
    exact = closed_form_mean(q)
    if exact is not None:
        return exact, torch.zeros_like(exact)
    estimates = pair_means(q, draws // 2, is_fixed)
    return estimates.mean(0), estimates.var(0) / len(estimates)
