from functools import partial

import pytest
import torch
from linear_gaussian import LinearGaussian

from vae_cli.data.batch import Batch
from vae_cli.metric.base import Moments, moments, power_sums
from vae_cli.metric.kl_per_dimension import KlPerDimension
from vae_cli.model.vae import VAE
from vae_cli.posterior.planar import PlanarPosterior


def measured(vae: VAE, batch: Batch) -> dict[str, Moments]:
    values = KlPerDimension().values(vae, batch, vae.encode(batch))
    return {name: moments(power_sums(value), len(value)) for name, value in values.items()}


def test_against_the_formula() -> None:
    truth = LinearGaussian(lengths=(2.0, 0.7, 0.0))
    batch = truth.batch(20)
    numbers = KlPerDimension().result(measured(truth.vae(), batch))
    mean, variance = truth.posterior_mean(batch.x), truth.posterior_variance
    expected = ((mean**2 + variance - 1 - variance.log()) / 2).mean(0)
    assert list(numbers) == [f"kl_per_dimension/{d}" for d in range(3)]
    assert list(numbers.values()) == pytest.approx(expected.tolist())
    assert numbers["kl_per_dimension/2"] == pytest.approx(0, abs=1e-12)


def test_names_sort_as_numbers() -> None:
    names = KlPerDimension().result({"kl_per_dimension": moments(torch.zeros(2, 12), 1)})
    assert list(names) == sorted(names)
    assert len(names) == 12


def test_nothing_where_the_posterior_does_not_factorise() -> None:
    truth = LinearGaussian()
    vae = truth.vae()
    vae.posterior = partial(PlanarPosterior, flow_length=1)(latent_dim=2)
    vae.encoder = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(6, vae.posterior.parameter_count)
    ).double()
    assert measured(vae, truth.batch(5)) == {}
    assert KlPerDimension().result({}) == {}
