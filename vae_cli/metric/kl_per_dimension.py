"""The KL of each latent dimension."""

from vae_cli.data.batch import Batch
from vae_cli.distribution.relations import kl_per_dimension
from vae_cli.metric.base import Metric, Totals
from vae_cli.model.base import LatentVariableModel


class KlPerDimension(Metric):
    """KL(q(z_d|x)‖p(z_d)), nats, where q and p factorise; nothing at all where they do not."""

    is_costly = False

    def sums(self, model: LatentVariableModel, batch: Batch) -> Totals:
        """See the base class."""
        kl = kl_per_dimension(model.encode(batch), model.prior())
        return {} if kl is None else {"kl": kl.sum(0)}

    def result(self, totals: Totals, count: int) -> dict[str, float]:
        """See the base class."""
        means = (totals["kl"] / count).tolist() if totals else []
        width = len(str(len(means) - 1))  # so that sorting by name sorts by number
        return {f"kl_per_dimension/{d:0{width}}": kl for d, kl in enumerate(means)}
