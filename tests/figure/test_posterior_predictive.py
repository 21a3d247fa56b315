import math
from functools import partial

import torch
from linear_gaussian import LinearGaussian
from torch import Size

from vae_cli.data.batch import Batch
from vae_cli.figure.posterior_predictive import moments_over_z
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
        mean, deviation = moments_over_z(model, model.encode(batch), SAMPLES)
    expected = truth.posterior_mean(batch.x) @ truth.weight.T + truth.offset
    between = (truth.weight.square() * truth.posterior_variance).sum(1)
    error = (between / SAMPLES).sqrt()
    assert ((mean.flatten(1) - expected).abs() < 4 * error).all()
    variance = deviation.flatten(1).square()
    tolerance = 4 * between * math.sqrt(2 / SAMPLES)
    assert ((variance - between).abs() < tolerance).all()


def test_of_binary_images_it_is_not_the_mean_again() -> None:
    """A decoder that ignores z is sure of its mean, however far from 0 and 1 that is."""
    torch.manual_seed(0)
    shape, network = Size([1, 3, 3]), partial(MLP, hidden_dims=[4])
    model = VAE(
        shape, 2, network, network, DiagonalPosterior, StandardPrior, BernoulliLikelihood
    ).double()
    x = torch.rand(4, *shape, dtype=torch.float64)
    batch = Batch(x, x, torch.full((4,), -1), torch.arange(4))
    with torch.no_grad():
        q = model.encode(batch)
        assert (moments_over_z(model, q, 100)[1] > 1e-3).all()
        model.decoder.layers[0].weight.zero_()
        mean, deviation = moments_over_z(model, q, 100)
    assert (mean * (1 - mean) > 0.1).all()
    torch.testing.assert_close(deviation, torch.zeros_like(deviation))
