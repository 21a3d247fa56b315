"""Models with a known log p(x), by quadrature or in closed form, and a q(z|x) that is wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from linear_gaussian import LinearGaussian
from torch import Size, Tensor

from vae_cli.data.batch import Batch
from vae_cli.likelihood.base import Likelihood
from vae_cli.likelihood.bernoulli import BernoulliLikelihood
from vae_cli.likelihood.gaussian import GaussianLikelihood
from vae_cli.model.vae import VAE
from vae_cli.network.mlp import MLP
from vae_cli.posterior.base import Posterior
from vae_cli.posterior.diagonal import DiagonalPosterior
from vae_cli.posterior.planar import PlanarPosterior
from vae_cli.posterior.radial import RadialPosterior
from vae_cli.prior.standard import StandardPrior

SHAPE = Size([1, 3, 3])
GRID, REACH = 300, 7.0  # points along each dimension of z, and how far they go


@dataclass(frozen=True)
class Case:
    """A model in float64, images drawn from it, and their log p(x), nats, ``(B,)``."""

    model: VAE
    batch: Batch
    log_p: Tensor


def linear(images: int, lengths: tuple[float, ...], shift: float, log_stretch: float) -> Case:
    """A linear-Gaussian model under a q that is moved and stretched."""
    truth = LinearGaussian(lengths)
    batch = truth.batch(images)
    return Case(truth.vae(shift, log_stretch), batch, truth.log_likelihood(batch.x))


def curved(
    images: int, likelihood: Callable[..., Likelihood], posterior: Callable[..., Posterior]
) -> Case:
    """A decoder with a hidden layer, two dimensions of z, and an encoder that has not learned."""
    network = partial(MLP, hidden_dims=[12])
    model = VAE(SHAPE, 2, network, network, posterior, StandardPrior, likelihood).double()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            free = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.copy_((0.3 if name.startswith("encoder") else 0.9) * free)
        torch.manual_seed(0)
        x = model.decode(torch.randn(images, 2, dtype=torch.float64)).sample()
    batch = Batch(x, x, torch.full((images,), -1), torch.arange(images))
    return Case(model, batch, by_quadrature(model, batch))


@torch.no_grad()
def by_quadrature(model: VAE, batch: Batch) -> Tensor:
    """log ∫ p(x|z) p(z) dz on a grid of the plane, nats, ``(B,)``."""
    line = torch.linspace(-REACH, REACH, GRID, dtype=torch.float64)
    z = torch.cartesian_prod(line, line)
    parts = [
        model.decode(part.unsqueeze(1)).log_prob(batch.x)
        + model.prior().log_prob(part).unsqueeze(1)
        for part in z.split(3000)
    ]
    return torch.cat(parts).logsumexp(0) + 2 * (line[1] - line[0]).log()


UNUSED = (0.0,) * 38
GAUSSIAN = partial(GaussianLikelihood, scale=0.3)
CASES: dict[str, Callable[[int], Case]] = {
    "linear, moved": lambda n: linear(n, (2.0, 0.7), 0.2, 0.0),
    "linear, narrow": lambda n: linear(n, (2.0, 0.7), -0.1, -0.5),
    "linear, 40 dimensions, narrow": lambda n: linear(n, (2.0, 0.7, *UNUSED), 0.0, -0.51),
    "bernoulli, diagonal": lambda n: curved(n, BernoulliLikelihood, DiagonalPosterior),
    "bernoulli, planar": lambda n: curved(
        n, BernoulliLikelihood, partial(PlanarPosterior, flow_length=2)
    ),
    "bernoulli, radial": lambda n: curved(
        n, BernoulliLikelihood, partial(RadialPosterior, flow_length=2)
    ),
    "gaussian, diagonal": lambda n: curved(n, GAUSSIAN, DiagonalPosterior),
    "gaussian, planar": lambda n: curved(n, GAUSSIAN, partial(PlanarPosterior, flow_length=2)),
}
