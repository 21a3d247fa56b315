"""log p(x), by importance sampling."""

import math
from collections.abc import Mapping

from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.metric.base import Metric, Moments, mean_and_error
from vae_cli.metric.importance import importance_estimate
from vae_cli.model.base import LatentVariableModel
from vae_cli.options import Draws, checked


class LogLikelihood(Metric):
    """log p(x), nats an image, estimated with S draws from q(z|x): a lower bound in expectation.

    Args:
        samples: S.
    """

    model_class = LatentVariableModel
    is_costly = True
    rivals = ("log_likelihood",)

    @checked
    def __init__(self, samples: Draws = 200) -> None:
        self.samples = samples

    def values(  # type: ignore[override]  # of such models alone
        self, model: LatentVariableModel, batch: Batch, q: Distribution
    ) -> dict[str, Tensor]:
        """See the base class."""
        estimate = importance_estimate(model, batch, q, self.samples)
        return {"log_likelihood": estimate.log_likelihood}

    def result(self, moments: Mapping[str, Moments]) -> dict[str, float]:
        """See the base class."""
        numbers = mean_and_error("log_likelihood", moments["log_likelihood"])
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
