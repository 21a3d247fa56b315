"""How far reconstructions are from what they are of."""

from collections.abc import Mapping

from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.distribution.relations import mean
from vae_cli.metric.base import Metric, Moments, Value, means_and_errors
from vae_cli.model.base import Model
from vae_cli.number import known


class ReconstructionError(Metric[Model]):
    r""":math:`\|x - E[x|z]\|^2` at z = E_q[z], squared units of x, summed over dimensions."""

    is_costly = False
    declares = known("reconstruction_error")

    def values(self, model: Model, batch: Batch, q: Distribution) -> dict[str, Tensor]:
        """See the base class."""
        error = batch.x - model.decode(mean(q)).mean
        return {"reconstruction_error": error.square().flatten(1).sum(1)}

    def result(self, moments: Mapping[str, Moments]) -> dict[str, Value]:
        """See the base class."""
        return means_and_errors(moments)
