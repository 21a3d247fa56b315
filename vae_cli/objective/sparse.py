"""The log-likelihood of images at codes that are mostly 0."""

from typing import Literal

import torch
from torch.linalg import vector_norm

from vae_cli.data.batch import Batch
from vae_cli.model.autoencoder import Autoencoder
from vae_cli.number import known
from vae_cli.objective.base import Loss, SingleObjective
from vae_cli.objective.jacobian import decoder_jacobian
from vae_cli.options import NonNegativeFloat, checked


class Sparse(SingleObjective[Autoencoder]):
    r"""Maximises :math:`\log p(x|z) - \lambda \sum_d |z_d|\, \|\partial E[x|z] / \partial z_d\|`.

    Here z = f(x). The penalty pulls each number of the code towards 0 with the same force, however
    small it is: what an image does not need goes. A number counts by how far it moves the image.
    Of a linear decoder that is sparse coding with dictionary elements of norm 1 (Olshausen & Field
    1996, Emergence of simple-cell receptive field properties).

    With ``unit=code`` the penalty is :math:`\lambda \|z\|_1`. It has no minimum above 0: the
    encoder can divide its code by any number by which the decoder multiplies it again, so that the
    penalty falls and no code becomes sparser.

    Args:
        sparsity_weight: :math:`\lambda`, nats for each unit of x, or of the code.
        unit: ``image`` or ``code``.
    """

    monitor = "reconstruction"
    declares = known("reconstruction", "code_l1", "image_l1")
    weighs_kl = False
    differentiates = True

    @checked
    def __init__(
        self, sparsity_weight: NonNegativeFloat = 1.0, unit: Literal["image", "code"] = "image"
    ) -> None:
        super().__init__()
        self.sparsity_weight, self.unit = sparsity_weight, unit
        self.term_weights = {"sparsity_weight": sparsity_weight}

    def forward(self, model: Autoencoder, batch: Batch, weight: float) -> Loss:
        """See the base class."""
        is_training = torch.is_grad_enabled()
        with torch.enable_grad():  # the penalty has a derivative in it
            code = model.encode(batch).mean
            code = code if code.requires_grad else code.requires_grad_()
            p = model.decode(code)
            penalty = code.abs().sum(-1)
            reported = {"code_l1": penalty}
            if self.unit == "image":
                columns = decoder_jacobian(p.mean, code, create_graph=is_training)
                penalty = (code.abs() * vector_norm(columns, dim=-1)).sum(-1)
                reported["image_l1"] = penalty
            reported["reconstruction"] = p.log_prob(batch.x)
            loss = (self.sparsity_weight * penalty - reported["reconstruction"]).mean()
        return loss, {name: value.detach() for name, value in reported.items()}
