"""The autoencoder: a code for each image, and no distribution of codes."""

from collections.abc import Callable

from torch import Size, Tensor
from torch.distributions import Distribution
from torch.nn import Module

from vae_cli.data.batch import Batch
from vae_cli.distribution.point import Point
from vae_cli.errors import build_part
from vae_cli.likelihood.base import Likelihood
from vae_cli.model.base import Model
from vae_cli.model.vae import apply_likelihood, full_precision
from vae_cli.network.build import build_decoder, build_encoder
from vae_cli.options import PositiveInt, checked


class Autoencoder(Model):
    r"""p(x|z) at :math:`z = f(x)`, the code (Rumelhart, Hinton & Williams 1986).

    There is no prior: nothing says which codes are those of images, and there is no p(x). The
    log-likelihood of x at its code is the cross-entropy of a Bernoulli likelihood, and of a
    Gaussian one with a scale of 1 half the squared error, up to a constant, with the sign
    reversed.

    Args:
        shape: Shape of one example.
        latent_dim: Number of dimensions of the code.
        encoder: Builds the network of the code from ``in_shape`` and ``out_shape``.
        decoder: Builds the network of p(x|z) likewise.
        likelihood: Builds the likelihood.
    """

    description = "an autoencoder"

    @checked
    def __init__(
        self,
        shape: Size,
        latent_dim: PositiveInt,
        encoder: Callable[..., Module],
        decoder: Callable[..., Module],
        likelihood: Callable[..., Likelihood],
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.likelihood = build_part("likelihood", likelihood, shape=shape)
        self.encoder = build_encoder(encoder, shape, latent_dim)
        parameters = self.likelihood.parameters_per_value
        self.decoder = build_decoder(decoder, latent_dim, shape, parameters)

    def encode(self, batch: Batch) -> Point:
        """The code of each image: all of q(z|x) is at f(x)."""
        return Point(full_precision(self.encoder(batch.input)))

    def decode(self, z: Tensor, y: Tensor | None = None) -> Distribution:
        """See the base class."""
        return apply_likelihood(self.likelihood, self.decoder(z))
