"""What the objective itself reports: the bound and its parts."""

from vae_cli.data.batch import Batch
from vae_cli.metric.base import Metric, Totals, mean_and_error, moments
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

    def sums(self, model: LatentVariableModel, batch: Batch) -> Totals:
        """See the base class."""
        reported = self.objective(model, batch, 1.0)[1]
        return {name: moments(value) for name, value in reported.items()}

    def result(self, totals: Totals, count: int) -> dict[str, float]:
        """See the base class."""
        numbers: dict[str, float] = {}
        for name, total in totals.items():
            numbers |= mean_and_error(name, total, count)
        return numbers
