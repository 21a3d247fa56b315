"""Where a model puts each image."""

from collections.abc import Mapping

from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.distribution.relations import mean
from vae_cli.metric.base import Metric, Moments, Value
from vae_cli.model.base import Model


class Codes(Metric[Model]):
    """E_q[z] of every image, ``codes`` in ``evaluation.npz``, shape ``(N, latent_dim)``.

    For a flow this is the average of 16 draws. The metric adds no number to the results.
    """

    is_costly = True

    def values(self, model: Model, batch: Batch, q: Distribution) -> dict[str, Tensor]:
        """See the base class."""
        return {"codes": model.latent(mean(q)).z}

    def result(self, moments: Mapping[str, Moments]) -> dict[str, Value]:
        """See the base class: nothing."""
        return {}
