"""How many dimensions of z the model uses."""

from typing import Annotated

from torch import Size

from vae_cli.data.batch import Batch
from vae_cli.metric.base import Metric, Totals
from vae_cli.model.base import LatentVariableModel
from vae_cli.options import AtLeast, NonNegativeFloat, checked


class ActiveUnits(Metric):
    r"""The number of dimensions with :math:`\mathrm{Var}_x(E_q[z_d]) >` threshold.

    (Burda et al. 2016, arXiv:1509.00519, section 5.2.) The means are those of M draws, for any
    posterior; what their noise adds to the variance, :math:`E_x[\mathrm{Var}_q z_d] / M`, is
    estimated from the same draws and subtracted.

    Args:
        samples: M.
        threshold: In squared units of z; 0.01 in the paper.
    """

    is_costly = False

    @checked
    def __init__(
        self, samples: Annotated[int, AtLeast(2)] = 16, threshold: NonNegativeFloat = 0.01
    ) -> None:
        self.samples, self.threshold = samples, threshold

    def sums(self, model: LatentVariableModel, batch: Batch) -> Totals:
        """See the base class."""
        z = model.encode(batch).sample(Size([self.samples])).double()
        means = z.mean(0)
        return {
            "mean": means.sum(0),
            "square": means.square().sum(0),
            "noise": z.var(0).sum(0) / self.samples,
        }

    def result(self, totals: Totals, count: int) -> dict[str, float]:
        """See the base class."""
        spread = totals["square"] - totals["mean"].square() / count
        variance = spread / max(count - 1, 1) - totals["noise"] / count
        return {"active_units": int((variance > self.threshold).sum())}
