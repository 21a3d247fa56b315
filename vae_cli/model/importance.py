"""log p(x) by importance sampling, and how far the estimate can be trusted."""

import math
from collections.abc import Callable, Iterator
from functools import partial, singledispatch
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.distribution.normal import log_standard_normal
from vae_cli.distribution.pareto import pareto_shape, tail_size
from vae_cli.distribution.relations import from_noise
from vae_cli.model.base import LatentVariableModel
from vae_cli.model.labelled import SemiSupervisedModel
from vae_cli.model.proposal import adapted_proposal

# Draws decoded at once, over all images: what bounds the memory. As many as fit into a processor's
# cache with the pixels they are decoded to: more are slower.
ROWS = 4_000
DRAWS = 250  # that a proposal shares out among its parts at once
PILOT = 100  # draws of q that show whether it is the posterior, nearly
BLOCKS = 4  # equal parts of the draws, whose estimates show how the bias falls with their number
FEWEST = 28  # draws from which the diagnostics exist: seven a block
HEAVY = 0.7  # Pareto shape above which an estimate cannot be trusted (arXiv:1507.02646)
HEAVIEST = 0.9  # shape up to which the bias is extrapolated
EVEN = 0.9  # effective share of the draws from q above which q is the posterior, nearly

LogWeights = Callable[[int], Tensor]  # of so many draws, ``(S, B)``, nats, float64


class BoundEstimate(NamedTuple):
    """The bound from draws of q(z|x): each ``(B,)``, float64."""

    elbo: Tensor  # mean of log p(x, z) - log q(z|x), nats
    reconstruction: Tensor  # mean of log p(x|z), nats
    kl: Tensor  # mean of log q(z|x) - log p(z), nats


class EvidenceEstimate(NamedTuple):
    """What S draws tell of log p(x): each ``(B,)``, float64. NaN where S is too small to tell."""

    log_likelihood: Tensor  # log (1/S) Σ w_s, nats: a lower bound in expectation
    bias: Tensor  # about how far its expectation lies below log p(x), nats
    variance: Tensor  # of log_likelihood over other draws, squared nats
    effective_sample_size: Tensor  # (Σ w_s)² / Σ w_s², draws: from 1 to S (Kong 1992)
    pareto_shape: Tensor  # of the tail of the weights
    is_adapted: Tensor  # 1 where draws came from around the posterior's mode as well, else 0


def bound_estimate(
    model: LatentVariableModel, batch: Batch, q: Distribution, samples: int
) -> BoundEstimate:
    """The bound and its parts, in memory that does not depend on the number of draws.

    Args:
        model: The model.
        batch: B images.
        q: Their posterior.
        samples: Draws of z an image.
    """
    sums = torch.zeros(3, len(batch.x), dtype=torch.float64, device=batch.x.device)
    for size in _chunks(samples, batch):
        terms = model.terms(batch, size, closed_form_kl=False, q=q)
        each = torch.stack([terms.log_weight, terms.log_likelihood, terms.kl])
        sums += each.double().sum(1)
    return BoundEstimate(*(sums / samples))


def evidence_estimate(
    model: LatentVariableModel, batch: Batch, q: Distribution, samples: int, adapts: bool = True
) -> EvidenceEstimate:
    """log p(x) from S draws of z an image, in memory that grows with the root of S alone.

    The draws come from q(z|x). Of a model with labels each class has some, and the sum over the
    classes is exact.

    Args:
        model: The model.
        batch: B images.
        q: Their posterior.
        samples: S.
        adapts: Draw around the posterior's mode as well where q is a map of Gaussian noise and not
            close to the posterior: see ``Proposal``.
    """
    source: LogWeights = partial(_log_weights, model, batch, q)
    is_close = not adapts or _is_even(source(min(samples, PILOT)))
    adapted = None if is_close else _adapted(model, batch, q)
    found = _estimate(adapted or source, samples)
    return found._replace(is_adapted=torch.full_like(found.bias, adapted is not None))


def _estimate(source: LogWeights, samples: int) -> EvidenceEstimate:
    is_diagnosed = samples >= FEWEST
    blocks: list[Tensor] = []
    squares: list[Tensor] = []
    largest: Tensor | None = None
    for size in _even_parts(samples, BLOCKS if is_diagnosed else 1):
        sums = []
        for part in _even_parts(size, math.ceil(size / DRAWS)):
            log_weight = source(part)
            sums.append(log_weight.logsumexp(0))
            squares.append((2 * log_weight).logsumexp(0))
            seen = log_weight if largest is None else torch.cat([largest, log_weight])
            largest = seen.topk(min(tail_size(samples) + 1, len(seen)), 0).values
        blocks.append(torch.stack(sums).logsumexp(0) - math.log(size))
    each = torch.stack(blocks)
    log_likelihood = _log_mean(each)
    log_sum = log_likelihood + math.log(samples)
    effective = _effective_size(log_sum, torch.stack(squares).logsumexp(0))
    unknown = torch.full_like(log_likelihood, torch.nan)
    if not is_diagnosed or largest is None:
        return EvidenceEstimate(log_likelihood, unknown, unknown, effective, unknown, unknown)
    shape = pareto_shape(largest)
    halves = torch.stack([_log_mean(each[:2]), _log_mean(each[2:])])
    bias = extrapolated_bias(log_likelihood - halves.mean(0), shape)
    variance = each.var(0) / BLOCKS
    return EvidenceEstimate(log_likelihood, bias, variance, effective, shape, unknown)


def extrapolated_bias(rise: Tensor, shape: Tensor) -> Tensor:
    r"""How far an estimate of log p(x) lies below it in expectation, nats, ``(B,)``.

    The mean of weights whose tail has the shape k errs by a multiple of
    :math:`S^{-\min(1/2,\, 1 - k)}`, and the bias of its logarithm falls with the square of that,
    :math:`S^{-a}` with :math:`a = \min(1, 2 (1 - k))`. What it falls by when the draws double is
    then :math:`2^a - 1` times what is left.

    Args:
        rise: By how much the estimate from all draws lies above that from half of them, ``(B,)``.
        shape: k, ``(B,)``.
    """
    rate = (2 * (1 - shape.clamp(max=HEAVIEST))).clamp(max=1)
    return -rise / (2**rate - 1)


def _log_mean(log_values: Tensor) -> Tensor:
    return log_values.logsumexp(0) - math.log(len(log_values))


@singledispatch
def _log_weights(model: LatentVariableModel, batch: Batch, q: Distribution, samples: int) -> Tensor:
    """Of draws of q(z|x)."""
    parts = _chunks(samples, batch)
    terms = (model.terms(batch, size, closed_form_kl=False, q=q) for size in parts)
    return torch.cat([each.log_weight.double() for each in terms])


@_log_weights.register
def _(model: SemiSupervisedModel, batch: Batch, q: Distribution, samples: int) -> Tensor:
    """Of draws of which each class has at least one: their mean sums over the classes.

    Half of the draws are for the classes as q(y|x) has them, half are for all classes alike. With
    fewer than two draws a class the classes are drawn.
    """
    if samples < 2 * model.classes:
        return _log_weights.dispatch(LatentVariableModel)(model, batch, q, samples)
    share = (model.classify(batch).double().exp() + 1 / model.classes) / 2
    ends = (samples * share.cumsum(-1)).round()  # (B, K)
    counts = torch.diff(ends, prepend=torch.zeros_like(ends[:, :1]))
    place = torch.arange(samples, device=ends.device).view(-1, 1, 1)
    y = (place >= ends).sum(-1).clamp_max(model.classes - 1)  # (S, B)
    log_count = counts.log().gather(-1, y.mT).mT
    parts = y.split(_rows(batch))
    log_weight = torch.cat([model.terms_of_labels(batch, part).log_weight for part in parts])
    return log_weight.double() + math.log(samples / model.classes) - log_count


def _effective_size(log_sum: Tensor, log_square_sum: Tensor) -> Tensor:
    return torch.exp(2 * log_sum - log_square_sum)


def _is_even(log_weight: Tensor) -> bool:
    """Whether all draws count nearly alike, for every image."""
    size = _effective_size(log_weight.logsumexp(0), (2 * log_weight).logsumexp(0))
    return bool((size >= EVEN * len(log_weight)).all())


def _adapted(model: LatentVariableModel, batch: Batch, q: Distribution) -> LogWeights | None:
    """Weights of draws around the posterior's mode; None if q is no map of Gaussian noise."""

    def log_density(noise: Tensor) -> Tensor:
        z, log_q = from_noise(q, noise)
        log_p = model.decode(z).log_prob(batch.x) + model.prior().log_prob(z)
        return (log_p - log_q).double() + log_standard_normal(noise.double())

    start = torch.zeros(len(batch.x), model.latent_dim, dtype=batch.input.dtype).to(batch.x.device)
    try:
        from_noise(q, start)
    except NotImplementedError:
        return None
    proposal = adapted_proposal(log_density, start)

    def log_weights(samples: int) -> Tensor:
        noise, log_r = proposal.draw(samples)
        parts = noise.to(start).split(_rows(batch))
        return torch.cat([log_density(part) for part in parts]) - log_r

    return log_weights


def _even_parts(total: int, parts: int) -> list[int]:
    edges = [total * i // parts for i in range(parts + 1)]
    return [end - start for start, end in pairwise(edges)]


def _rows(batch: Batch) -> int:
    """Draws of each image that are decoded at once."""
    return max(1, ROWS // len(batch.x))


def _chunks(samples: int, batch: Batch) -> Iterator[int]:
    size = _rows(batch)
    for start in range(0, samples, size):
        yield min(size, samples - start)
