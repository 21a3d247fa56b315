"""How well an autoencoder reproduces images, in nats."""

from collections.abc import Mapping

from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.metric.base import Metric, Moments, Value, means_and_errors
from vae_cli.model.autoencoder import Autoencoder
from vae_cli.number import known


class Reconstruction(Metric[Autoencoder]):
    """log p(x|z) at the code of x, nats an image.

    Of a model with a prior ``reconstruction`` is E log p(x|z) over q(z|x), a part of its bound,
    and measured with that.
    """

    is_costly = False
    declares = known("reconstruction")
    rivals = ("reconstruction",)

    def values(self, model: Autoencoder, batch: Batch, q: Distribution) -> dict[str, Tensor]:
        """See the base class."""
        return {"reconstruction": model.decode(q.mean).log_prob(batch.x)}

    def result(self, moments: Mapping[str, Moments]) -> dict[str, Value]:
        """See the base class."""
        return means_and_errors(moments)
