"""The variational autoencoder with one layer of latent variables."""

from collections.abc import Callable

import torch
from torch import Size, Tensor
from torch.distributions import Distribution
from torch.nn import Module

from vae_cli.data.batch import Batch
from vae_cli.likelihood.base import Likelihood
from vae_cli.model.base import ElboTerms, LatentVariableModel
from vae_cli.model.terms import one_layer_terms
from vae_cli.network.build import build_network
from vae_cli.options import PositiveInt, checked
from vae_cli.posterior.base import Posterior
from vae_cli.prior.base import Prior


def full_precision(x: Tensor) -> Tensor:
    """At least float32: what follows (densities, determinants) is never in half precision."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


class VAE(LatentVariableModel):
    """p(z) p(x|z) with q(z|x) from an encoder (Kingma & Welling 2014, arXiv:1312.6114).

    Args:
        shape: Shape of one image, ``(C, H, W)``.
        latent_dim: Number of dimensions of z.
        network: Builds a network from ``in_shape`` and ``out_shape``; called twice.
        posterior: Builds the posterior from ``latent_dim``.
        prior: Builds the prior from ``latent_dim``.
        likelihood: Builds the likelihood.
    """

    @checked
    def __init__(
        self,
        shape: Size,
        latent_dim: PositiveInt,
        network: Callable[..., Module],
        posterior: Callable[..., Posterior],
        prior: Callable[..., Prior],
        likelihood: Callable[..., Likelihood],
    ) -> None:
        super().__init__()
        channels, height, width = shape
        self.latent_dim = latent_dim
        self.posterior = posterior(latent_dim=latent_dim)
        self.latent_prior = prior(latent_dim=latent_dim)
        self.likelihood = likelihood()
        self.encoder = build_network(network, Size(shape), Size([self.posterior.parameter_count]))
        outputs = Size([channels * self.likelihood.parameters_per_value, height, width])
        self.decoder = build_network(network, Size([latent_dim]), outputs)

    def prior(self) -> Distribution:
        """See the base class."""
        return self.latent_prior()

    def encode(self, batch: Batch) -> Distribution:
        """See the base class."""
        return self.posterior(full_precision(self.encoder(batch.input)))

    def decode(self, z: Tensor, y: Tensor | None = None) -> Distribution:
        """See the base class."""
        return self.likelihood(full_precision(self.decoder(z)))

    def terms(
        self, batch: Batch, samples: int, closed_form_kl: bool, q: Distribution | None = None
    ) -> ElboTerms:
        """See the base class."""
        q = self.encode(batch) if q is None else q
        return one_layer_terms(q, self.prior(), self.decode, batch.x, samples, closed_form_kl)
