"""A VAE in which everything is known: p(z) = N(0, I), x = W z + mu + noise of one scale.

W has orthogonal columns, so the true posterior is diagonal and the encoder can be made exact.
"""

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Size, Tensor, nn
from torch.distributions import MultivariateNormal

from vae_cli.data.batch import Batch
from vae_cli.likelihood.gaussian import GaussianLikelihood
from vae_cli.model.vae import VAE
from vae_cli.network.mlp import MLP
from vae_cli.posterior.diagonal import DiagonalPosterior
from vae_cli.prior.standard import StandardPrior

SHAPE = Size([1, 2, 3])
NOISE = 0.5


def linear(network: nn.Module) -> nn.Linear:
    """The only layer of an MLP without hidden ones."""
    (layer,) = network.layers
    return layer


@dataclass(frozen=True)
class LinearGaussian:
    """The model with W = orthonormal columns times ``lengths``.

    Args:
        lengths: Length of each column; 0 leaves a dimension of z unused, as from the seventh on.
    """

    lengths: tuple[float, ...] = (2.0, 0.7)

    @property
    def weight(self) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        square = torch.randn(6, 6, generator=generator, dtype=torch.float64)
        basis = torch.nn.functional.pad(torch.linalg.qr(square).Q, (0, len(self.lengths)))
        return basis[:, : len(self.lengths)] * torch.tensor(self.lengths, dtype=torch.float64)

    @property
    def offset(self) -> Tensor:
        return torch.linspace(-1, 1, 6, dtype=torch.float64)

    @property
    def posterior_variance(self) -> Tensor:
        """Of each dimension of z: 1 / (1 + ‖W_d‖² / NOISE²)."""
        return 1 / (1 + self.weight.square().sum(0) / NOISE**2)

    def posterior_mean(self, x: Tensor) -> Tensor:
        """Shape ``(B, D)``."""
        return (x.flatten(1) - self.offset) @ self.weight * self.posterior_variance / NOISE**2

    def log_likelihood(self, x: Tensor) -> Tensor:
        """log p(x), nats, ``(B,)``."""
        covariance = self.weight @ self.weight.T + NOISE**2 * torch.eye(6, dtype=torch.float64)
        return MultivariateNormal(self.offset, covariance).log_prob(x.flatten(1))

    def batch(self, count: int, seed: int = 0) -> Batch:
        """Images that the model itself draws."""
        generator = torch.Generator().manual_seed(seed)
        z = torch.randn(count, len(self.lengths), generator=generator, dtype=torch.float64)
        error = torch.randn(count, 6, generator=generator, dtype=torch.float64)
        x = (z @ self.weight.T + self.offset + NOISE * error).view(count, *SHAPE)
        return Batch(x, x, torch.full((count,), -1), torch.arange(count))

    def vae(self, shift: float = 0.0, log_stretch: float = 0.0) -> VAE:
        """The VAE with the true weights.

        Args:
            shift: Added to every mean of q(z|x).
            log_stretch: Added to every log-scale of q(z|x).
        """
        vae = VAE(
            SHAPE,
            len(self.lengths),
            encoder=partial(MLP, hidden_dims=[]),
            decoder=partial(MLP, hidden_dims=[]),
            posterior=DiagonalPosterior,
            prior=StandardPrior,
            likelihood=partial(GaussianLikelihood, scale=NOISE),
        ).double()
        encoder, decoder = linear(vae.encoder), linear(vae.decoder)
        gain = (self.weight * self.posterior_variance / NOISE**2).T
        log_scale = self.posterior_variance.log() / 2 + log_stretch
        with torch.no_grad():
            decoder.weight.copy_(self.weight)
            decoder.bias.copy_(self.offset)
            encoder.weight.copy_(torch.cat([gain, torch.zeros_like(gain)]))
            encoder.bias.copy_(torch.cat([shift - gain @ self.offset, log_scale]))
        return vae

    def gap(self, shift: float, log_stretch: float) -> float:
        """KL(q‖true posterior), nats, of the VAE of the same arguments; the same for each x."""
        ratio = math.exp(2 * log_stretch)
        each = shift**2 / self.posterior_variance + ratio - 1 - math.log(ratio)
        return each.sum().item() / 2
