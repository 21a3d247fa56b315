"""Linear-Gaussian models of every kind, and their distribution as a matrix has it."""

from functools import partial

import torch
from torch import Size, Tensor
from torch.distributions import MultivariateNormal

from vae_cli.data.batch import Batch
from vae_cli.likelihood.gaussian import GaussianLikelihood
from vae_cli.model.linear_gaussian import LinearGaussian
from vae_cli.network.mlp import MLP
from vae_cli.posterior.exact import ExactPosterior
from vae_cli.prior.standard import StandardPrior

SHAPE = Size([2, 1, 3])
MIN_SCALE = 0.2
MODELS: dict[str, tuple[str, str | float]] = {  # noise, and the likelihood's scale
    "ppca": ("shared", "learned"),
    "ppca, the likelihood's own scale": ("shared", "shared"),
    "ppca of known scale": ("shared", 0.3),
    "factor analysis": ("per_pixel", "learned"),
}


def build(
    name: str = "ppca", latent_dim: int = 2, posterior: object = None, shape: Size = SHAPE
) -> LinearGaussian:
    """A model whose every parameter is random, in float64."""
    noise, scale = MODELS[name]
    likelihood = partial(GaussianLikelihood, scale=scale, min_scale=MIN_SCALE)
    network, exact = partial(MLP, hidden_dims=[5]), ExactPosterior()
    model = LinearGaussian(
        shape, latent_dim, noise, likelihood, StandardPrior, posterior or exact, network
    ).double()
    generator = torch.Generator().manual_seed(latent_dim)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.7 * torch.randn(parameter.shape, generator=generator))
    return model


def marginal(model: LinearGaussian) -> MultivariateNormal:
    """p(x), of flat images."""
    weight, free = model.decoder.weight, model.log_scale
    if isinstance(model.likelihood.scale, float):
        scale = torch.tensor(model.likelihood.scale, dtype=torch.float64)
    else:
        own = model.likelihood.log_scale if free is None else free
        scale = MIN_SCALE + own.exp()
    noise = scale.square().expand(model.shape).flatten().diag()
    return MultivariateNormal(model.decoder.bias, weight @ weight.T + noise)


def images(count: int, shape: Size = SHAPE) -> Batch:
    """Any images at all."""
    generator = torch.Generator().manual_seed(count)
    x: Tensor = 1.5 * torch.randn(count, *shape, generator=generator, dtype=torch.float64)
    return Batch(x, x, torch.full((count,), -1), torch.arange(count))
