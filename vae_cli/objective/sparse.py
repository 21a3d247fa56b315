"""The log-likelihood of images at codes that are mostly 0."""

from torch import Tensor

from vae_cli.data.batch import Batch
from vae_cli.model.autoencoder import Autoencoder
from vae_cli.objective.base import Objective
from vae_cli.options import NonNegativeFloat, checked


class Sparse(Objective):
    r"""Maximises :math:`\log p(x|z) - \lambda \|z\|_1` at z = f(x).

    The penalty pulls each number of the code towards 0 with the same force, however small it is:
    what an image does not need goes. It is in units of the code, which the decoder may choose: a
    larger map back makes room for smaller codes.

    Args:
        sparsity_weight: :math:`\lambda`, nats for each unit of the code.
    """

    monitor = "reconstruction"
    model_class = Autoencoder
    weighs_kl = False

    @checked
    def __init__(self, sparsity_weight: NonNegativeFloat = 0.1) -> None:
        super().__init__()
        self.sparsity_weight = sparsity_weight
        self.term_weights = {"sparsity_weight": sparsity_weight}

    def forward(  # type: ignore[override]  # at one code
        self, model: Autoencoder, batch: Batch, weight: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """See the base class."""
        code = model.encode(batch).mean
        reconstruction, size = model.decode(code).log_prob(batch.x), code.abs().sum(-1)
        loss = (self.sparsity_weight * size - reconstruction).mean()
        return loss, {"reconstruction": reconstruction.detach(), "code_l1": size.detach()}
