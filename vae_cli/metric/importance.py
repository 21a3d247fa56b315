"""The bound, its parts and log p(x), all from the same draws."""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.metric.base import Metric, Moments, mean_and_error
from vae_cli.model.base import LatentVariableModel, log_mean_weight
from vae_cli.options import Draws, checked

# Draws decoded at once, over all images: what bounds the memory. As many as fit into a processor's
# cache with the pixels they are decoded to: more are slower.
ROWS = 4_000
LOW = 10  # effective draws below which an image's log p(x) is not to be trusted


class ImportanceEstimate(NamedTuple):
    """What S draws of z from q(z|x) tell of B images: each ``(B,)``, float64."""

    log_likelihood: Tensor  # log (1/S) Σ w_s with w_s = p(x, z_s) / q(z_s|x), nats
    elbo: Tensor  # (1/S) Σ log w_s, nats: never above the log-likelihood
    reconstruction: Tensor  # (1/S) Σ log p(x|z_s), nats
    kl: Tensor  # (1/S) Σ log q(z_s|x) - log p(z_s), nats
    effective_sample_size: Tensor  # (Σ w_s)² / Σ w_s², draws: from 1 to S


def importance_estimate(
    model: LatentVariableModel, batch: Batch, q: Distribution, samples: int
) -> ImportanceEstimate:
    """Estimates from ``samples`` draws, in memory that does not depend on how many there are.

    The effective sample size is Kong's (1992).
    """
    reconstruction = kl = torch.zeros(len(batch.x), dtype=torch.float64, device=batch.x.device)
    log_sum = log_square_sum = torch.full_like(kl, -torch.inf)
    for size in _chunks(samples, max(1, ROWS // len(batch.x))):
        terms = model.terms(batch, size, closed_form_kl=False, q=q)
        log_weight = terms.log_weight.double()
        log_sum = torch.logaddexp(log_sum, log_mean_weight(log_weight) + math.log(size))
        log_square_sum = torch.logaddexp(log_square_sum, torch.logsumexp(2 * log_weight, 0))
        reconstruction = reconstruction + terms.log_likelihood.double().sum(0) / samples
        kl = kl + terms.kl.double().sum(0) / samples
    return ImportanceEstimate(
        log_likelihood=log_sum - math.log(samples),
        elbo=reconstruction - kl,
        reconstruction=reconstruction,
        kl=kl,
        effective_sample_size=torch.exp(2 * log_sum - log_square_sum),
    )


def _chunks(total: int, size: int) -> Iterator[int]:
    for start in range(0, total, size):
        yield min(size, total - start)


class ImportanceSampling(Metric):
    r"""log p(x) from S draws of z, how far to trust it, and the bound from the same draws.

    The estimate's expectation lies below log p(x) (Burda et al. 2016, arXiv:1509.00519), by about
    half of its variance :math:`1/\mathrm{ESS} - 1/S`, where the effective sample size (ESS) is
    not small; ``log_likelihood_bias`` is the mean of that, ``log_likelihood_mc_se`` the standard
    error that the draws leave in the mean over images, beside the one over images.

    Args:
        samples: S.
    """

    model_class = LatentVariableModel
    is_costly = True
    rivals = ("log_likelihood",)

    @checked
    def __init__(self, samples: Draws = 5000) -> None:
        self.samples = samples

    def values(  # type: ignore[override]  # of such models alone
        self, model: LatentVariableModel, batch: Batch, q: Distribution
    ) -> dict[str, Tensor]:
        """See the base class."""
        estimate = importance_estimate(model, batch, q, self.samples)
        size = estimate.effective_sample_size
        return {
            **estimate._asdict(),
            "log_likelihood_variance": (1 / size - 1 / self.samples).clamp_min(0),
            "low_effective_sample_size": (size < LOW).double(),
        }

    def result(self, moments: Mapping[str, Moments]) -> dict[str, float]:
        """See the base class."""
        numbers: dict[str, float] = {"log_likelihood_samples": self.samples}
        for name in ("elbo", "reconstruction", "kl", "log_likelihood"):
            numbers |= mean_and_error(name, moments[name])
        variance = moments["log_likelihood_variance"]
        return numbers | {
            "log_likelihood_mc_se": (variance.mean.item() / variance.images) ** 0.5,
            "log_likelihood_bias": -variance.mean.item() / 2,
            "effective_sample_size": moments["effective_sample_size"].mean.item(),
            "low_effective_sample_size": moments["low_effective_sample_size"].mean.item(),
        }
