"""The log-likelihood of images at codes that hardly move when the image does."""

import torch
from torch import Tensor

from vae_cli.data.batch import Batch
from vae_cli.model.autoencoder import Autoencoder
from vae_cli.objective.base import Objective
from vae_cli.options import NonNegativeFloat, checked


class Contractive(Objective):
    r"""Maximises :math:`\log p(x|z) - \lambda \|\partial f / \partial x\|_F^2` at z = f(x).

    (Rifai, Vincent, Muller, Glorot & Bengio 2011, Contractive auto-encoders.) The code is to stay
    where it is in all directions of x but those along which images differ, which the first term
    defends. The Jacobian is exact, whatever the network.

    Args:
        contraction_weight: :math:`\lambda`, nats for each squared unit of code by unit of x.
    """

    monitor = "reconstruction"
    model_class = Autoencoder
    weighs_kl = False

    @checked
    def __init__(self, contraction_weight: NonNegativeFloat = 0.1) -> None:
        super().__init__()
        self.contraction_weight = contraction_weight
        self.term_weights = {"contraction_weight": contraction_weight}

    def forward(  # type: ignore[override]  # at one code
        self, model: Autoencoder, batch: Batch, weight: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """See the base class."""
        is_training = torch.is_grad_enabled()
        with torch.enable_grad():  # the penalty is a derivative itself
            x = batch.input.detach().requires_grad_()
            code = model.encode(batch._replace(input=x)).mean
            penalty = squared_jacobian_norm(code, x, create_graph=is_training)
        reconstruction = model.decode(code).log_prob(batch.x)
        loss = (self.contraction_weight * penalty - reconstruction).mean()
        reported = {
            "reconstruction": reconstruction.detach(),
            "squared_jacobian_norm": penalty.detach(),
        }
        return loss, reported


def squared_jacobian_norm(code: Tensor, x: Tensor, create_graph: bool) -> Tensor:
    r""":math:`\|\partial z / \partial x\|_F^2` of each image, ``(B,)``.

    A code depends on its own image alone, so one way back from a dimension of all codes gives that
    row of every image's Jacobian. One after the other they are faster than batched by vmap.

    Args:
        code: z, ``(B, D)``.
        x: What it was computed from, ``(B, C, H, W)``.
        create_graph: Whether the norm is to be differentiable.
    """
    norm = code.new_zeros(len(code))
    for dimension in code.unbind(1):
        (row,) = torch.autograd.grad(
            dimension.sum(), x, create_graph=create_graph, retain_graph=True
        )
        norm = norm + row.square().flatten(1).sum(1)
    return norm
