"""The KL of each latent dimension, and of each layer."""

from collections.abc import Mapping
from typing import cast

from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.distribution.layered import LayeredDistribution, kl_per_layer
from vae_cli.distribution.relations import kl_per_dimension
from vae_cli.metric.base import Metric, Moments
from vae_cli.model.base import LatentVariableModel
from vae_cli.number import known


class KlPerDimension(Metric[LatentVariableModel]):
    """KL(q(z_d|x)‖p(z_d)) where q and p factorise, and what each layer adds to the KL; nats.

    Nothing where z has no such parts. The share of a layer is that of one draw an image.
    """

    is_costly = False
    declares = known("kl_per_dimension/", "kl_per_layer/")

    def values(
        self, model: LatentVariableModel, batch: Batch, q: Distribution
    ) -> dict[str, Tensor]:
        """See the base class."""
        p = model.prior()
        kl = kl_per_dimension(q, p)
        found = {} if kl is None else {"kl_per_dimension": kl}
        if len(model.layers) > 1:  # q and p are then distributions of layers
            q, p = cast(LayeredDistribution, q), cast(LayeredDistribution, p)
            found["kl_per_layer"] = kl_per_layer(q, p)
        return found

    def result(self, moments: Mapping[str, Moments]) -> dict[str, float]:
        """See the base class."""
        numbers: dict[str, float] = {}
        for name, each in moments.items():
            means = each.mean.tolist()
            width = len(str(len(means) - 1))  # so that sorting by name sorts by number
            numbers |= {f"{name}/{part:0{width}}": kl for part, kl in enumerate(means)}
        return numbers
