"""The KL of each latent dimension, and of each layer."""

from collections.abc import Mapping

from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.distribution.layered import kl_per_layer
from vae_cli.distribution.relations import kl_per_dimension
from vae_cli.metric.base import Metric, Moments
from vae_cli.model.base import LatentVariableModel
from vae_cli.number import known


class KlPerDimension(Metric):
    """KL(q(z_d|x)‖p(z_d)) where q and p factorise, and what each layer adds to the KL; nats.

    Nothing where z has no such parts. The share of a layer is that of one draw an image.
    """

    model_class = LatentVariableModel
    is_costly = False
    declares = known("kl_per_dimension/", "kl_per_layer/")

    def values(  # type: ignore[override]  # of such models alone
        self, model: LatentVariableModel, batch: Batch, q: Distribution
    ) -> dict[str, Tensor]:
        """See the base class."""
        p = model.prior()
        found = {"kl_per_dimension": kl_per_dimension(q, p), "kl_per_layer": kl_per_layer(q, p)}
        return {name: kl for name, kl in found.items() if kl is not None}

    def result(self, moments: Mapping[str, Moments]) -> dict[str, float]:
        """See the base class."""
        numbers: dict[str, float] = {}
        for name, each in moments.items():
            means = each.mean.tolist()
            width = len(str(len(means) - 1))  # so that sorting by name sorts by number
            numbers |= {f"{name}/{part:0{width}}": kl for part, kl in enumerate(means)}
        return numbers
