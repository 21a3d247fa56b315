"""The KL of each latent dimension."""

from collections.abc import Mapping

from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.distribution.relations import kl_per_dimension
from vae_cli.metric.base import Metric, Moments
from vae_cli.model.base import LatentVariableModel
from vae_cli.number import known


class KlPerDimension(Metric):
    """KL(q(z_d|x)‖p(z_d)), nats, where q and p factorise; nothing at all where they do not."""

    model_class = LatentVariableModel
    is_costly = False
    declares = known("kl_per_dimension/")

    def values(  # type: ignore[override]  # of such models alone
        self, model: LatentVariableModel, batch: Batch, q: Distribution
    ) -> dict[str, Tensor]:
        """See the base class."""
        kl = kl_per_dimension(q, model.prior())
        return {} if kl is None else {"kl_per_dimension": kl}

    def result(self, moments: Mapping[str, Moments]) -> dict[str, float]:
        """See the base class."""
        means = moments["kl_per_dimension"].mean.tolist() if moments else []
        width = len(str(len(means) - 1))  # so that sorting by name sorts by number
        return {f"kl_per_dimension/{d:0{width}}": kl for d, kl in enumerate(means)}
