"""How many dimensions of z the model uses."""

from collections.abc import Mapping
from typing import Annotated

import torch
from torch import Size, Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.distribution.relations import closed_form_mean
from vae_cli.metric.base import Metric, Moments
from vae_cli.model.base import LatentVariableModel, Model
from vae_cli.options import AtLeast, Draws, NonNegativeFloat, checked


class ActiveUnits(Metric):
    r"""The number of dimensions with :math:`\mathrm{Var}_x(E_q[z_d]) >` threshold.

    (Burda et al. 2016, arXiv:1509.00519, section 5.2.) Where the means have no formula they are
    those of M draws; what their noise adds to the variance, :math:`E_x[\mathrm{Var}_q z_d] / M`,
    is estimated from the same draws and subtracted. Of few images that leaves noise of its own:
    a standard deviation of about :math:`\sqrt{2 / N} / M` for q like the prior.

    Args:
        samples: M.
        threshold: In squared units of z; 0.01 in the paper.
    """

    model_class = LatentVariableModel  # its prior gives the threshold a unit
    is_costly = False

    @checked
    def __init__(
        self, samples: Annotated[Draws, AtLeast(2)] = 16, threshold: NonNegativeFloat = 0.01
    ) -> None:
        self.samples, self.threshold = samples, threshold

    def values(self, model: Model, batch: Batch, q: Distribution) -> dict[str, Tensor]:
        """See the base class."""
        exact = closed_form_mean(q)
        if exact is not None:
            means = exact[..., : model.latent_dim].double()
            return {"z_mean": means, "z_mean_variance": torch.zeros_like(means)}
        z = q.sample(Size([self.samples]))[..., : model.latent_dim].double()
        return {"z_mean": z.mean(0), "z_mean_variance": z.var(0) / self.samples}

    def result(self, moments: Mapping[str, Moments]) -> dict[str, float]:
        """See the base class."""
        return {"active_units": int(self.are_active(moments).sum())}

    def are_active(self, moments: Mapping[str, Moments]) -> Tensor:
        """Which dimensions are active, ``(latent_dim,)``, from the moments of the ``values``."""
        variance = moments["z_mean"].variance - moments["z_mean_variance"].mean
        return variance > self.threshold
