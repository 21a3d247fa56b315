"""The Bernoulli likelihood, for binary images."""

from torch import Tensor
from torch.distributions import Bernoulli, Independent, constraints

from vae_cli.likelihood.base import Likelihood


class BernoulliLikelihood(Likelihood):
    """Each value is 1 with a probability of its own, of which the decoder gives the logit."""

    parameters_per_value = 1
    support = constraints.boolean

    def forward(self, features: Tensor) -> Independent:
        """See the base class."""
        return Independent(Bernoulli(logits=features, validate_args=False), 3, validate_args=False)
