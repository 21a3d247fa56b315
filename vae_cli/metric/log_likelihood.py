"""log p(x), by importance sampling."""

import math
from collections.abc import Mapping

from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.metric.base import Metric, Moments, Number
from vae_cli.metric.evidence import evidence_numbers, evidence_values
from vae_cli.model.base import LatentVariableModel
from vae_cli.model.importance import evidence_estimate
from vae_cli.options import Draws, checked


class LogLikelihood(Metric):
    """log p(x), nats an image, estimated with S draws: a lower bound in expectation.

    ``evidence_numbers`` says how far it can be trusted.

    Args:
        samples: S.
        adapts: Draw around the posterior's mode as well as from q(z|x): a better estimate, which
            costs as much as about a thousand draws.
    """

    model_class = LatentVariableModel
    is_costly = True
    rivals = ("log_likelihood",)

    @checked
    def __init__(self, samples: Draws = 200, adapts: bool = False) -> None:
        self.samples, self.adapts = samples, adapts

    def values(  # type: ignore[override]  # of such models alone
        self, model: LatentVariableModel, batch: Batch, q: Distribution
    ) -> dict[str, Tensor]:
        """See the base class."""
        return evidence_values(evidence_estimate(model, batch, q, self.samples, self.adapts))

    def result(self, moments: Mapping[str, Moments]) -> dict[str, Number]:
        """See the base class."""
        return evidence_numbers(moments, self.samples)


def bits_per_dimension(log_likelihood: float, dimensions: int, levels: int | None) -> float:
    r""":math:`-\log p(x) / (D \ln 2) + \log_2 L`.

    Args:
        log_likelihood: log p(x), nats an image.
        dimensions: D, the number of values of an image.
        levels: L, the grey levels that were dequantized into [0, 1] (Theis et al. 2016,
            arXiv:1511.01844, section 3.1); 1 where x is discrete itself.
    """
    return -log_likelihood / (dimensions * math.log(2)) + math.log2(levels or 1)
