"""log p(x), by importance sampling."""

import math

import torch

from vae_cli.data.batch import Batch
from vae_cli.metric.base import Metric, Totals, mean_and_error, moments
from vae_cli.model.base import LatentVariableModel, log_mean_weight
from vae_cli.options import PositiveInt, checked

ROWS = 20_000  # images decoded at once, all draws counted: what bounds the memory


class LogLikelihood(Metric):
    """log p(x), nats an image, estimated with S draws from q(z|x): a lower bound in expectation.

    Args:
        samples: S.
    """

    is_costly = True

    @checked
    def __init__(self, samples: PositiveInt = 200) -> None:
        self.samples = samples

    def sums(self, model: LatentVariableModel, batch: Batch) -> Totals:
        """See the base class."""
        size = max(1, ROWS // len(batch.x))
        rest = self.samples
        log_weights = []
        while rest > 0:
            log_weights.append(model.terms(batch, min(size, rest), closed_form_kl=False).log_weight)
            rest -= size
        return {"log_likelihood": moments(log_mean_weight(torch.cat(log_weights).double()))}

    def result(self, totals: Totals, count: int) -> dict[str, float]:
        """See the base class."""
        numbers = mean_and_error("log_likelihood", totals["log_likelihood"], count)
        return {**numbers, "log_likelihood_samples": self.samples}


def bits_per_dimension(log_likelihood: float, dimensions: int, levels: int | None) -> float:
    r""":math:`-\log p(x) / (D \ln 2) + \log_2 L`.

    Args:
        log_likelihood: log p(x), nats an image.
        dimensions: D, the number of values of an image.
        levels: L, the grey levels that were dequantized into [0, 1] (Theis et al. 2016,
            arXiv:1511.01844, section 3.1); 1 where x is discrete itself.
    """
    return -log_likelihood / (dimensions * math.log(2)) + math.log2(levels or 1)
