"""log p(x), by importance sampling."""

import copy
import math
from collections.abc import Mapping
from typing import Self

import torch
from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.metric.base import Metric, Moments, Value, among
from vae_cli.metric.evidence import DECLARED, evidence_numbers, evidence_values
from vae_cli.model.base import LatentVariableModel
from vae_cli.model.importance import EvidenceEstimate, bound_estimate, evidence_estimate
from vae_cli.options import Draws, PositiveInt, checked

BOUND_DRAWS = 10  # of z for the bound of each image, where log p(x) is estimated for some alone


class LogLikelihood(Metric[LatentVariableModel]):
    r"""log p(x), nats an image, estimated with S draws: a lower bound in expectation.

    ``evidence_numbers`` says how far it can be trusted.

    Draws for all images of a large split take longer than epochs of training. There, log p(x) is
    estimated for n of its N images, and the bound, which is cheap, for all of them:

    .. math:: \frac1N \sum_{i \le N} \mathrm{elbo}(x_i)
              + \frac1n \sum_{j \le n} (\log p(x_j) - \mathrm{elbo}(x_j))

    The images differ far more in log p(x) than in its distance from the bound, so the standard
    error is nearly that of N images: :math:`(V - V_d) / N + V_d / n` is its square, with V the
    variance of log p(x) over images and :math:`V_d` that of the distance.

    Args:
        samples: S.
        adapts: Draw around the posterior's mode as well as from q(z|x): a better estimate, which
            costs as much as about a thousand draws.
        images: n at most; None for all.
    """

    is_costly = True
    declares = DECLARED
    rivals = ("log_likelihood",)

    @checked
    def __init__(
        self, samples: Draws = 200, adapts: bool = False, images: PositiveInt | None = 1000
    ) -> None:
        self.samples, self.adapts, self.images = samples, adapts, images
        self.split_size: int | None = None  # N; None measures all that come

    def for_split(self, images: int) -> Self:
        """See the base class."""
        metric = copy.copy(self)
        is_part = self.images is not None and self.images < images
        metric.split_size = images if is_part else None
        return metric

    def values(
        self, model: LatentVariableModel, batch: Batch, q: Distribution
    ) -> dict[str, Tensor]:
        """See the base class. What is not measured of an image is 0."""
        if self.split_size is None or self.images is None:
            return evidence_values(evidence_estimate(model, batch, q, self.samples, self.adapts))
        bound = bound_estimate(model, batch, q, BOUND_DRAWS).elbo
        is_measured = _is_among(batch.index, self.images, self.split_size)
        rows = is_measured.nonzero().squeeze(1)
        found = EvidenceEstimate(*[bound[rows]] * len(EvidenceEstimate._fields))
        if len(rows):
            few = Batch(*(part[rows] for part in batch))
            found = evidence_estimate(model, few, model.encode(few), self.samples, self.adapts)
        known = evidence_values(found)
        known["log_likelihood_distance"] = known["log_likelihood"] - bound[rows]
        return {
            "is_measured": is_measured.double(),
            "log_likelihood_bound": bound,
            **{name: torch.zeros_like(bound).index_copy(0, rows, v) for name, v in known.items()},
        }

    def result(self, moments: Mapping[str, Moments]) -> dict[str, Value]:
        """See the base class."""
        if "is_measured" not in moments:
            return evidence_numbers(moments, self.samples)
        bound, is_measured = moments["log_likelihood_bound"], moments["is_measured"]
        known = {name: among(each, is_measured) for name, each in moments.items()}
        numbers, distance = evidence_numbers(known, self.samples), known["log_likelihood_distance"]
        shared = (known["log_likelihood"].variance - distance.variance).clamp_min(0)
        variance = shared / bound.images + distance.variance / distance.images
        return numbers | {
            "log_likelihood": (bound.mean + distance.mean).item(),
            "log_likelihood_se": variance.sqrt().item() if distance.images > 1 else None,
            "log_likelihood_mc_se": None,  # not known: the draws of the bound count, too
            "log_likelihood_images": distance.images,
        }


def _is_among(index: Tensor, count: int, total: int) -> Tensor:
    """Which positions are among ``count`` of ``total`` that are evenly apart; the first is."""
    place = (index * count).div(total, rounding_mode="floor")
    return place > ((index - 1) * count).div(total, rounding_mode="floor")


def bits_per_dimension(log_likelihood: float, dimensions: int, levels: int | None) -> float:
    r""":math:`-\log p(x) / (D \ln 2) + \log_2 L`.

    Args:
        log_likelihood: log p(x), nats an image.
        dimensions: D, the number of values of an image.
        levels: L, the grey levels that were dequantized into [0, 1] (Theis et al. 2016,
            arXiv:1511.01844, section 3.1); 1 where x is discrete itself.
    """
    return -log_likelihood / (dimensions * math.log(2)) + math.log2(levels or 1)
