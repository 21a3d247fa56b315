"""Whether a Gaussian's learned scale has collapsed."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal

from vae_cli.data.batch import Batch
from vae_cli.distribution.relations import mean
from vae_cli.likelihood.gaussian import GaussianLikelihood
from vae_cli.metric.base import Metric, Moments
from vae_cli.model.base import Model
from vae_cli.number import known

NEAR = 1.1  # times the smallest scale


class ScaleAtBound(Metric[Model]):
    """Share of the values of x whose scale in p(x|z), z = E_q[z], is the smallest one allowed.

    There the density is as large as ``min_scale`` lets it be: a bound on log p(x) is then as much
    about that number as about the model. Nothing at all where no scale is learned.
    """

    is_costly = True
    declares = known("scale_at_bound")

    def values(self, model: Model, batch: Batch, q: Distribution) -> dict[str, Tensor]:
        """See the base class."""
        likelihood = next((m for m in model.modules() if isinstance(m, GaussianLikelihood)), None)
        if likelihood is None or not isinstance(likelihood.scale, str):
            return {}
        x = model.decode(mean(q))
        normal = x.base_dist if isinstance(x, Independent) else x
        if not isinstance(normal, Normal):  # a Gaussian of features, not of images
            return {}
        is_small = normal.scale <= NEAR * likelihood.min_scale
        return {"scale_at_bound": is_small.expand_as(batch.x).to(torch.float64).flatten(1).mean(1)}

    def result(self, moments: Mapping[str, Moments]) -> dict[str, float]:
        """See the base class."""
        return {name: float(found.mean) for name, found in moments.items()}
