"""The log-likelihood of images at their codes."""

from vae_cli.data.batch import Batch
from vae_cli.model.autoencoder import Autoencoder
from vae_cli.number import known
from vae_cli.objective.base import Loss, SingleObjective


class Reconstruction(SingleObjective[Autoencoder]):
    """Maximises log p(x|z) at z = f(x), nats: squared error or cross-entropy, as p has it."""

    monitor = "reconstruction"
    declares = known("reconstruction")
    weighs_kl = False

    def forward(self, model: Autoencoder, batch: Batch, weight: float) -> Loss:
        """See the base class."""
        reconstruction = model.decode(model.encode(batch).mean).log_prob(batch.x)
        return -reconstruction.mean(), {"reconstruction": reconstruction.detach()}
