"""The Bernoulli likelihood, for binary images."""

from torch import Tensor
from torch.distributions import constraints

from vae_cli.distribution.bernoulli import BernoulliImage
from vae_cli.likelihood.base import Likelihood


class BernoulliLikelihood(Likelihood):
    """Each value is 1 with a probability of its own, of which the decoder gives the logit."""

    parameters_per_value = 1
    support = constraints.boolean

    def forward(self, features: Tensor) -> BernoulliImage:
        """See the base class."""
        return BernoulliImage(features)
