"""What the objective itself reports: the bound and its parts."""

from collections.abc import Mapping

from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.metric.base import Metric, Moments, means_and_errors
from vae_cli.model.base import LatentVariableModel
from vae_cli.objective.base import Objective


class Reported(Metric):
    """The objective's quantities, averaged over images, with standard errors.

    Args:
        objective: Its quantities, the bound at weight 1 among them.
    """

    is_costly = False

    def __init__(self, objective: Objective) -> None:
        self.objective = objective

    def values(
        self, model: LatentVariableModel, batch: Batch, q: Distribution
    ) -> dict[str, Tensor]:
        """See the base class."""
        return self.objective(model, batch, 1.0)[1]

    def result(self, moments: Mapping[str, Moments]) -> dict[str, float]:
        """See the base class."""
        return means_and_errors(moments)
