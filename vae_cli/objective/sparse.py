"""The log-likelihood of images at codes that are mostly 0."""

import torch
from torch import Tensor

from vae_cli.data.batch import Batch
from vae_cli.model.autoencoder import Autoencoder
from vae_cli.objective.base import Objective
from vae_cli.options import NonNegativeFloat, checked


class Sparse(Objective):
    r"""Maximises :math:`\log p(x|z) - \lambda \sum_d |z_d| / r_d` at z = f(x).

    :math:`r_d` is the root of the mean of :math:`z_d^2` over the batch. The penalty pulls each
    number of the code towards 0 with the same force, however small it is, but does not change with
    the scale of a dimension. Without :math:`r_d` the sum has no minimum above 0: the encoder can
    divide its code by any number by which the decoder multiplies it again, so that the penalty
    falls and no code becomes sparser. Sparse coding has that problem, too, and holds the scale
    fixed (Olshausen & Field 1996, Emergence of simple-cell receptive field properties). The ratio
    of the two norms is the measure of sparseness of Hoyer (2004, Non-negative matrix factorization
    with sparseness constraints). Its mean over images is between 0 and 1 for each dimension: 1 of
    a dimension of constant size, 0.80 of a Gaussian one, and near 0 of one that is seldom used.

    Args:
        sparsity_weight: :math:`\lambda`, nats for each dimension of constant size; with
            ``scale_free=false`` nats for each unit of the code.
        scale_free: False sets :math:`r_d = 1`: the norm of the code itself.
    """

    monitor = "reconstruction"
    model_class = Autoencoder
    weighs_kl = False

    @checked
    def __init__(self, sparsity_weight: NonNegativeFloat = 1.0, scale_free: bool = True) -> None:
        super().__init__()
        self.sparsity_weight, self.scale_free = sparsity_weight, scale_free
        self.term_weights = {"sparsity_weight": sparsity_weight}

    def forward(  # type: ignore[override]  # at one code
        self, model: Autoencoder, batch: Batch, weight: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """See the base class."""
        code = model.encode(batch).mean
        reconstruction, size = model.decode(code).log_prob(batch.x), code.abs().sum(-1)
        reported = {"reconstruction": reconstruction, "code_l1": size}
        if self.scale_free:
            size = (code.abs() * inverse_root(code.square().mean(0))).sum(-1)
            reported["scale_free_code_l1"] = size
        loss = (self.sparsity_weight * size - reconstruction).mean()
        return loss, {name: value.detach() for name, value in reported.items()}


def inverse_root(square: Tensor) -> Tensor:
    """1 / sqrt(square), and 0 where that is 0: of a dimension that is the same for all images."""
    tiny = torch.finfo(square.dtype).tiny
    return torch.where(square > tiny, square.clamp_min(tiny).rsqrt(), 0)
