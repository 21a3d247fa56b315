"""Models and the terms of their bounds."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.distribution.latent import Latent


class ElboTerms(NamedTuple):
    """The terms of the evidence lower bound for S draws of z an image, in nats."""

    log_likelihood: Tensor  # (S, B): log p(x|z)
    log_prior: Tensor  # (S, B): log p(z)
    log_posterior: Tensor  # (S, B): log q(z|x)
    kl: Tensor  # (S, B): closed form where asked for, as far as known; else by the draws

    @property
    def log_weight(self) -> Tensor:
        """log p(x, z) - log q(z|x), nats, ``(S, B)``: the importance weights of the draws."""
        return self.log_likelihood + self.log_prior - self.log_posterior

    @property
    def drawn_kl(self) -> Tensor:
        """log q(z|x) - log p(z), nats, ``(S, B)``: what the KL is by the draws."""
        return self.log_posterior - self.log_prior

    def bound(self, weight: float = 1.0) -> Tensor:
        """log p(x|z) - weight * KL(q(z|x)‖p(z)), nats, ``(S, B)``.

        Its mean over draws is the bound on log p(x) at weight 1, the ELBO.
        """
        return self.log_likelihood - weight * self.kl

    def tempered_bound(self, weight: float) -> Tensor:
        """weight * log p(x, z) - log q(z|x), nats, ``(S, B)``; in the mean the ELBO at weight 1.

        Rezende & Mohamed 2015, arXiv:1505.05770, equation 20.
        """
        return weight * (self.log_likelihood + self.log_prior) - self.log_posterior


def log_mean_weight(log_weight: Tensor) -> Tensor:
    """The importance-sampled log p(x) from ``(S, B)`` log-weights: nats, ``(B,)``.

    log (1/S) Σ p(x, z_s) / q(z_s|x): a lower bound in expectation, tighter as S grows
    (Burda et al. 2016, arXiv:1509.00519, equation 8).
    """
    return torch.logsumexp(log_weight, 0) - math.log(len(log_weight))


class Model(nn.Module, ABC):
    """Anything that encodes images into z and decodes them back.

    Attributes:
        latent_dim: Number of dimensions of z.
        description: What it is, in words for whoever chose what only goes with such a model.
    """

    latent_dim: int
    description: ClassVar[str] = "a model"

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device

    @property
    def layers(self) -> Sequence[int]:
        """Dimensions of each layer of z, side by side in it; of most models one layer."""
        return [self.latent_dim]

    def latent(self, event: Tensor) -> Latent:
        """The parts of what ``encode`` and ``prior`` draw: z, and the label if there is one."""
        return Latent.of(event, self.latent_dim)

    @abstractmethod
    def encode(self, batch: Batch) -> Distribution:
        """q(z|x): batch shape ``(B,)``, event shape ``(latent_dim,)``.

        Models with labels have them in the event (``vae_cli.distribution.latent``), in their
        prior's too. With several ``layers`` it is a ``LayeredDistribution``, and so is the prior.
        """

    @abstractmethod
    def decode(self, z: Tensor, y: Tensor | None = None) -> Distribution:
        """p(x|z): for z of shape ``(*, latent_dim)``, batch shape ``(*,)``, event ``shape``.

        ``y``, shape ``(*,)``, is for models in which x depends on the label: without it, they take
        the events that their ``encode`` and ``prior`` give.
        """


class LatentVariableModel(Model):
    """A model with a prior, and hence with a bound on log p(x)."""

    description = "a model with a prior"

    @abstractmethod
    def prior(self) -> Distribution:
        """p(z): batch shape ``()``, event shape ``(latent_dim,)``."""

    @abstractmethod
    def terms(
        self, batch: Batch, samples: int, closed_form_kl: bool, q: Distribution | None = None
    ) -> ElboTerms:
        """The terms of the bound for so many draws of z an image.

        Args:
            batch: B images.
            samples: S.
            closed_form_kl: Take KL(q‖p) from its formula, as far as there is one.
            q: The posterior of the batch, where it has been encoded already.
        """
