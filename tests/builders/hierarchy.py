"""A small VAE with two layers of latent variables: p(z_1) p(z_0|z_1) p(x|z_0, z_1)."""

from collections.abc import Callable, Mapping

from torch import Size, Tensor, nn
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.distribution.layered import LayeredDistribution
from vae_cli.distribution.normal import DiagonalNormal
from vae_cli.likelihood.base import Likelihood
from vae_cli.model.base import ElboTerms, LatentVariableModel
from vae_cli.model.terms import one_layer_terms
from vae_cli.model.vae import apply_likelihood
from vae_cli.network.build import build_decoder, build_encoder

LAYERS = (3, 2)  # dimensions; the second one is the top


class Hierarchy(LatentVariableModel):
    """Both q and p draw the top first; the lower layer depends on it by a linear map."""

    layers = LAYERS

    def __init__(
        self,
        shape: Size,
        encoder: Callable[..., nn.Module],
        decoder: Callable[..., nn.Module],
        likelihood: Callable[..., Likelihood],
    ) -> None:
        super().__init__()
        below, top = LAYERS
        self.latent_dim = below + top
        self.likelihood = likelihood(shape=shape)
        self.encoder = build_encoder(encoder, shape, 2 * (below + top))
        parameters = self.likelihood.parameters_per_value
        self.decoder = build_decoder(decoder, self.latent_dim, shape, parameters)
        self.of_prior, self.of_posterior = nn.Linear(top, 2 * below), nn.Linear(top, 2 * below)

    def prior(self) -> LayeredDistribution:
        zeros = self.of_prior.weight.new_zeros(LAYERS[1])
        return LayeredDistribution(
            LAYERS,
            {1: lambda _: DiagonalNormal(zeros, zeros),
             0: lambda z: DiagonalNormal(*self.of_prior(z[1]).chunk(2, -1))},
        )  # fmt: skip

    def encode(self, batch: Batch) -> LayeredDistribution:
        below, top = self.encoder(batch.input).split([2 * LAYERS[0], 2 * LAYERS[1]], -1)

        def lower(z: Mapping[int, Tensor]) -> DiagonalNormal:
            return DiagonalNormal(*(below + self.of_posterior(z[1])).chunk(2, -1))

        return LayeredDistribution(
            LAYERS, {1: lambda _: DiagonalNormal(*top.chunk(2, -1)), 0: lower}
        )

    def decode(self, z: Tensor, y: Tensor | None = None) -> Distribution:
        return apply_likelihood(self.likelihood, self.decoder(z))

    def terms(
        self, batch: Batch, samples: int, closed_form_kl: bool, q: Distribution | None = None
    ) -> ElboTerms:
        q = self.encode(batch) if q is None else q
        return one_layer_terms(q, self.prior(), self.decode, batch.x, samples, closed_form_kl)
