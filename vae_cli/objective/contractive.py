"""The log-likelihood of images at codes that hardly move when the image does."""

import torch
from torch import Tensor

from vae_cli.data.batch import Batch
from vae_cli.model.autoencoder import Autoencoder
from vae_cli.objective.base import Objective
from vae_cli.objective.sparse import inverse_root
from vae_cli.options import NonNegativeFloat, checked


class Contractive(Objective):
    r"""Maximises :math:`\log p(x|z) - \lambda \sum_d \|\partial z_d / \partial x\|^2 / v_d` at z = f(x).

    (Rifai, Vincent, Muller, Glorot & Bengio 2011, Contractive auto-encoders.) The code is to stay
    where it is in all directions of x but those along which images differ, which the first term
    defends. The Jacobian is exact, whatever the network.

    :math:`v_d` is the variance of :math:`z_d` over the batch: the penalty does not change with the
    scale of a dimension. Without it the sum has no minimum above 0: the encoder can divide its code
    by any number by which the decoder multiplies it again. Rifai et al. exclude that by tied
    weights, which the networks here do not have.

    Args:
        contraction_weight: :math:`\lambda`, nats for each squared standard deviation of code by
            unit of x; with ``scale_free=false`` for each squared unit of code by unit of x.
        scale_free: False sets :math:`v_d = 1`: the squared Frobenius norm of the Jacobian itself.
    """

    monitor = "reconstruction"
    model_class = Autoencoder
    weighs_kl = False

    @checked
    def __init__(self, contraction_weight: NonNegativeFloat = 0.1, scale_free: bool = True) -> None:
        super().__init__()
        self.contraction_weight, self.scale_free = contraction_weight, scale_free
        self.term_weights = {"contraction_weight": contraction_weight}

    def forward(  # type: ignore[override]  # at one code
        self, model: Autoencoder, batch: Batch, weight: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """See the base class."""
        is_training = torch.is_grad_enabled()
        with torch.enable_grad():  # the penalty is a derivative itself
            x = batch.input.detach().requires_grad_()
            code = model.encode(batch._replace(input=x)).mean
            rows = squared_row_norms(code, x, create_graph=is_training)
        reconstruction, penalty = model.decode(code).log_prob(batch.x), rows.sum(1)
        reported = {"reconstruction": reconstruction, "squared_jacobian_norm": penalty}
        if self.scale_free:
            inverse = inverse_root(code.var(0, correction=0)).square()
            penalty = (rows * inverse).sum(1)
            reported["scale_free_jacobian_norm"] = penalty
        loss = (self.contraction_weight * penalty - reconstruction).mean()
        return loss, {name: value.detach() for name, value in reported.items()}


def squared_row_norms(code: Tensor, x: Tensor, create_graph: bool) -> Tensor:
    r""":math:`\|\partial z_d / \partial x\|^2` of each image and dimension, ``(B, D)``.

    A code depends on its own image alone, so one way back from a dimension of all codes gives that
    row of every image's Jacobian. One after the other they are faster than batched by vmap.

    Args:
        code: z, ``(B, D)``.
        x: What it was computed from, ``(B, C, H, W)``.
        create_graph: Whether the norms are to be differentiable.
    """
    norms = []
    for dimension in code.unbind(1):
        (row,) = torch.autograd.grad(
            dimension.sum(), x, create_graph=create_graph, retain_graph=True
        )
        norms.append(row.square().flatten(1).sum(1))
    return torch.stack(norms, 1)
