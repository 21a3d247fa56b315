import math
from functools import partial

import torch
from model.linear_gaussian import NOISE, LinearGaussian
from torch import Size

from vae_cli.data.batch import Batch
from vae_cli.figure.posterior_predictive import predictive_moments
from vae_cli.likelihood.bernoulli import BernoulliLikelihood
from vae_cli.model.vae import VAE
from vae_cli.network.mlp import MLP
from vae_cli.posterior.diagonal import DiagonalPosterior
from vae_cli.prior.standard import StandardPrior

SAMPLES = 4000


def test_moments_of_a_linear_gaussian_model() -> None:
    truth = LinearGaussian()
    model, batch = truth.vae(), truth.batch(3)
    torch.manual_seed(0)
    with torch.no_grad():
        mean, scale = predictive_moments(model, model.encode(batch), SAMPLES)
    expected = truth.posterior_mean(batch.x) @ truth.weight.T + truth.offset
    between = (truth.weight.square() * truth.posterior_variance).sum(1)
    error = (between / SAMPLES).sqrt()
    assert ((mean.flatten(1) - expected).abs() < 4 * error).all()
    variance = scale.flatten(1).square()
    tolerance = 4 * between * math.sqrt(2 / SAMPLES)
    assert ((variance - between - NOISE**2).abs() < tolerance).all()


def test_a_mixture_of_bernoullis_is_one() -> None:
    """Its variance is known from its mean, whatever the draws."""
    torch.manual_seed(0)
    shape, network = Size([1, 3, 3]), partial(MLP, hidden_dims=[4])
    model = VAE(shape, 2, network, DiagonalPosterior, StandardPrior, BernoulliLikelihood).double()
    x = torch.rand(4, *shape, dtype=torch.float64)
    batch = Batch(x, x, torch.full((4,), -1), torch.arange(4))
    with torch.no_grad():
        mean, scale = predictive_moments(model, model.encode(batch), 100)
    variance = mean * (1 - mean)
    torch.testing.assert_close(scale.square(), variance, rtol=0, atol=0.25 / 99)
    assert (scale.square() >= variance).all()  # by the correction of the draws' variance
