"""The evidence lower bound."""

from typing import Literal

import torch

from vae_cli.data.batch import Batch
from vae_cli.errors import InvalidOption
from vae_cli.model.base import LatentVariableModel
from vae_cli.number import known
from vae_cli.objective.base import Loss, SingleObjective
from vae_cli.options import PositiveInt, checked


class Elbo(SingleObjective[LatentVariableModel]):
    """Maximises the bound, tempered by the schedule's weight.

    Args:
        samples: Draws of z an image.
        closed_form_kl: Use the formula of the KL in the loss, as far as there is one: less noise
            in the gradient. The bound that is reported comes from the draws, whose noise in
            log p(x|z) and in the KL cancels in part, and in full if q is the posterior.
        tempering: What the weight multiplies: ``kl`` the KL (Bowman et al. 2016; Sønderby et al.
            2016), ``joint`` log p(x, z) (Rezende & Mohamed 2015), which Monte Carlo alone can do.
    """

    monitor = "elbo"
    reparameterizes = True
    declares = known("elbo", "reconstruction", "kl")

    @checked
    def __init__(
        self,
        samples: PositiveInt = 1,
        closed_form_kl: bool = True,
        tempering: Literal["kl", "joint"] = "kl",
    ) -> None:
        super().__init__()
        if tempering == "joint" and closed_form_kl:
            rule = "does not go with tempering=joint, which weighs log p(z) without log q(z|x)"
            raise InvalidOption("closed_form_kl", True, rule, "Try {closed_form_kl}=false.")
        self.samples, self.closed_form_kl, self.tempering = samples, closed_form_kl, tempering

    def forward(self, model: LatentVariableModel, batch: Batch, weight: float) -> Loss:
        """See the base class."""
        terms = model.terms(batch, self.samples, self.closed_form_kl)
        tempered = terms.bound if self.tempering == "kl" else terms.tempered_bound
        with torch.no_grad():
            reported = {
                "elbo": terms.log_weight.mean(0),
                "reconstruction": terms.log_likelihood.mean(0),
                "kl": terms.drawn_kl.mean(0),
            }
        return -tempered(weight).mean(), reported
