"""The log-likelihood of images at codes that hardly move when the image does."""

from typing import Literal

import torch

from vae_cli.data.batch import Batch
from vae_cli.model.autoencoder import Autoencoder
from vae_cli.number import known
from vae_cli.objective.base import Loss, SingleObjective
from vae_cli.objective.jacobian import decoder_jacobian, encoder_jacobian
from vae_cli.options import NonNegativeFloat, checked


class Contractive(SingleObjective[Autoencoder]):
    r"""Maximises :math:`\log p(x|z) - \lambda \|\partial E[x|z] / \partial x\|_F^2` at z = f(x).

    (Alain & Bengio 2014, arXiv:1211.4246, section 3.1.) The reconstruction is to stay where it is
    in all directions of x but those along which images differ, which the first term defends. Both
    Jacobians, of the encoder and of the decoder, are exact, whatever the network.

    With ``unit=code`` the penalty is :math:`\lambda \|\partial f / \partial x\|_F^2` (Rifai,
    Vincent, Muller, Glorot & Bengio 2011, Contractive auto-encoders). It has no minimum above 0:
    the encoder can divide its code by any number by which the decoder multiplies it again. Rifai
    et al. exclude that by tied weights, which the networks here do not have.

    Args:
        contraction_weight: :math:`\lambda`, nats; with ``unit=code`` for each squared unit of code
            by unit of x.
        unit: ``image`` or ``code``.
    """

    monitor = "reconstruction"
    declares = known("reconstruction", "squared_jacobian_norm", "image_jacobian_norm")
    weighs_kl = False
    differentiates = True

    @checked
    def __init__(
        self, contraction_weight: NonNegativeFloat = 0.1, unit: Literal["image", "code"] = "image"
    ) -> None:
        super().__init__()
        self.contraction_weight, self.unit = contraction_weight, unit
        self.term_weights = {"contraction_weight": contraction_weight}

    def forward(self, model: Autoencoder, batch: Batch, weight: float) -> Loss:
        """See the base class."""
        is_training = torch.is_grad_enabled()
        with torch.enable_grad():  # the penalty is a derivative itself
            x = batch.input.detach().requires_grad_()
            code = model.encode(batch._replace(input=x)).mean
            p, rows = model.decode(code), encoder_jacobian(code, x, create_graph=is_training)
            penalty = rows.square().sum((1, 2))
            reported = {"squared_jacobian_norm": penalty}
            if self.unit == "image":
                columns = decoder_jacobian(p.mean, code, create_graph=is_training)
                # The squared norm of a product of two matrices, from those of its inner size.
                penalty = ((rows @ rows.mT) * (columns @ columns.mT)).sum((1, 2))
                reported["image_jacobian_norm"] = penalty
            reported["reconstruction"] = p.log_prob(batch.x)
            loss = (self.contraction_weight * penalty - reported["reconstruction"]).mean()
        return loss, {name: value.detach() for name, value in reported.items()}
