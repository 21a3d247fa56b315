"""The Bernoulli likelihood, for binary values."""

from torch import Size, Tensor
from torch.distributions import constraints

from vae_cli.distribution.bernoulli import IndependentBernoulli
from vae_cli.likelihood.base import Likelihood


class BernoulliLikelihood(Likelihood):
    """Each value is 1 with its own probability, whose logit the decoder gives.

    Example:
        >>> import torch
        >>> BernoulliLikelihood(shape=(2,))(torch.zeros(1, 2)).mean
        tensor([0.5000, 0.5000])
    """

    parameters_per_value = 1
    support = constraints.boolean

    def __init__(self, shape: Size) -> None:  # says which options there are: none
        super().__init__(shape)

    def forward(self, parameters: Tensor) -> IndependentBernoulli:
        """See the base class."""
        return IndependentBernoulli(parameters.squeeze(-1 - self.dims), self.dims)
