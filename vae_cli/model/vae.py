"""The variational autoencoder with one layer of latent variables."""

from collections.abc import Callable

import torch
from torch import Size, Tensor
from torch.distributions import Distribution
from torch.nn import Module

from vae_cli.data.batch import Batch
from vae_cli.errors import build_part
from vae_cli.likelihood.base import Likelihood
from vae_cli.model.base import ElboTerms, LatentVariableModel
from vae_cli.model.terms import one_layer_terms
from vae_cli.network.build import build_decoder, build_encoder
from vae_cli.options import PositiveInt, checked
from vae_cli.posterior.base import Posterior
from vae_cli.prior.base import Prior


def full_precision(x: Tensor) -> Tensor:
    """At least float32: what follows (densities, determinants) is never in half precision."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def apply_likelihood(likelihood: Likelihood, output: Tensor) -> Distribution:
    """The distribution of x for the output of a network that ``build_decoder`` builds."""
    sizes = (likelihood.parameters_per_value, likelihood.shape[0])
    return likelihood(full_precision(output).unflatten(-likelihood.dims, sizes))


class VAE(LatentVariableModel):
    """p(z) p(x|z) with q(z|x) from an encoder (Kingma & Welling 2014, arXiv:1312.6114).

    Args:
        shape: Shape of one example.
        latent_dim: Number of dimensions of z.
        encoder: Builds the network of q(z|x) from ``in_shape`` and ``out_shape``.
        decoder: Builds the network of p(x|z) likewise.
        posterior: Builds the posterior from ``latent_dim``.
        prior: Builds the prior from ``latent_dim``.
        likelihood: Builds the likelihood.
    """

    @checked
    def __init__(
        self,
        shape: Size,
        latent_dim: PositiveInt,
        encoder: Callable[..., Module],
        decoder: Callable[..., Module],
        posterior: Callable[..., Posterior],
        prior: Callable[..., Prior],
        likelihood: Callable[..., Likelihood],
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.posterior = build_part("posterior", posterior, latent_dim=latent_dim)
        self.latent_prior = build_part("prior", prior, latent_dim=latent_dim)
        self.likelihood = build_part("likelihood", likelihood, shape=shape)
        self.encoder = build_encoder(encoder, shape, self.posterior.parameter_count)
        parameters = self.likelihood.parameters_per_value
        self.decoder = build_decoder(decoder, latent_dim, shape, parameters)

    def prior(self) -> Distribution:
        """See the base class."""
        return self.latent_prior()

    def encode(self, batch: Batch) -> Distribution:
        """See the base class."""
        return self.posterior(full_precision(self.encoder(batch.input)))

    def decode(self, z: Tensor, y: Tensor | None = None) -> Distribution:
        """See the base class."""
        return apply_likelihood(self.likelihood, self.decoder(z))

    def terms(
        self, batch: Batch, samples: int, closed_form_kl: bool, q: Distribution | None = None
    ) -> ElboTerms:
        """See the base class."""
        q = self.encode(batch) if q is None else q
        return one_layer_terms(q, self.prior(), self.decode, batch.x, samples, closed_form_kl)
