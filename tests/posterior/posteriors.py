"""The table of posteriors: a new one adds a row, and every property is checked on it."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from vae_cli.posterior.base import Posterior
from vae_cli.posterior.diagonal import DiagonalPosterior
from vae_cli.posterior.planar import NEAR_IDENTITY, PlanarPosterior
from vae_cli.posterior.radial import RadialPosterior

Make = Callable[..., Posterior]
# By name: how it is made from latent_dim, and how many numbers it needs of an encoder.
POSTERIORS: dict[str, tuple[Make, Callable[[int], int]]] = {
    "diagonal": (DiagonalPosterior, lambda d: 2 * d),
    "diagonal softplus": (
        partial(DiagonalPosterior, variance="softplus", variance_range=[1e-4, 5.0]), lambda d: 2 * d
    ),
    "planar 1": (partial(PlanarPosterior, flow_length=1), lambda d: 4 * d + 1),
    "planar 4": (partial(PlanarPosterior, flow_length=4), lambda d: 10 * d + 4),
    "radial 1": (partial(RadialPosterior, flow_length=1), lambda d: 3 * d + 2),
    "radial 4": (partial(RadialPosterior, flow_length=4), lambda d: 6 * d + 8),
}  # fmt: skip
FLOWS = [
    name for name, (make, _) in POSTERIORS.items() if hasattr(make(latent_dim=2), "flow_length")
]


def features(posterior: Posterior, batch: int, spread: float = 1.0, seed: int = 0) -> Tensor:
    """What an encoder might say: shape ``(batch, parameter_count)``, float64."""
    generator = torch.Generator().manual_seed(seed)
    shape = (batch, posterior.parameter_count)
    said = spread * torch.randn(shape, generator=generator, dtype=torch.float64)
    if isinstance(posterior, PlanarPosterior):
        said[:, 2 * posterior.latent_dim :] /= NEAR_IDENTITY  # maps far from the identity
    return said


def bent(posterior: Posterior, latent_dim: int, batch: int) -> Tensor:
    """Features of flows on a base near N(0, 1): far from a Gaussian, but no narrow ridges."""
    if not hasattr(posterior, "flow_length"):
        return 0.3 * features(posterior, batch)
    base = torch.tensor([0.3] * latent_dim + [0.1] * latent_dim, dtype=torch.float64)
    maps = features(posterior, batch)[:, 2 * latent_dim :]
    if isinstance(posterior, RadialPosterior):
        # Cores are smaller than by chance, centres nearer to where the base is.
        scale = torch.tensor([0.7] * latent_dim + [0.5, 0.5], dtype=torch.float64)
        shift = torch.tensor([0.0] * latent_dim + [-1.5, 0.5], dtype=torch.float64)
        k = posterior.flow_length
        maps = maps * scale.repeat(k) + shift.repeat(k)
    return torch.cat([base.expand(batch, -1), maps], dim=-1)
