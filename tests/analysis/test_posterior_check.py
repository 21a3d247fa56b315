"""The check passes what is right and catches what is wrong."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from linear_gaussian import SHAPE, LinearGaussian
from torch import Tensor

from vae_cli.analysis.posterior_check import PosteriorCheck
from vae_cli.data.dataset import StoredImages
from vae_cli.data.split import Split, Treatment
from vae_cli.distribution.flow import FlowDistribution
from vae_cli.distribution.normal import DiagonalNormal
from vae_cli.likelihood.gaussian import GaussianLikelihood
from vae_cli.model.vae import VAE
from vae_cli.network.mlp import MLP
from vae_cli.posterior.base import Posterior
from vae_cli.posterior.diagonal import DiagonalPosterior
from vae_cli.posterior.planar import PlanarPosterior
from vae_cli.posterior.radial import RadialPosterior
from vae_cli.prior.standard import StandardPrior

POSTERIORS: dict[str, Callable[..., Posterior]] = {
    "diagonal": DiagonalPosterior,
    "planar": partial(PlanarPosterior, flow_length=4),
    "radial": partial(RadialPosterior, flow_length=4),
}


def check(posterior: Callable[..., Posterior]) -> dict[str, float]:
    torch.manual_seed(0)
    network = partial(MLP, hidden_dims=[16])
    vae = VAE(SHAPE, 3, network, network, posterior, StandardPrior, GaussianLikelihood)
    for parameter in vae.encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.6)  # maps that are far from the identity
    images = StoredImages(LinearGaussian().batch(20).x.float())
    split = Split("test", images, Treatment("none", dequantize=False, levels=None))
    return PosteriorCheck(images=5, samples=2000).numbers(vae, {"test": split}, "test")


@pytest.mark.parametrize("name", POSTERIORS)
def test_what_is_right_passes(name: str) -> None:
    numbers = check(POSTERIORS[name])
    assert numbers["posterior_log_prob_error"] < 1e-8
    error = numbers["posterior_normalization_se"]
    assert abs(numbers["posterior_normalization"] - 1) < 4 * error < 0.2
    if name == "diagonal":
        assert "posterior_log_det_error" not in numbers
    else:
        assert numbers["posterior_log_det_error"] < 1e-9


class _WrongFlow(FlowDistribution):
    """Forgets half of each log-determinant, in both directions alike."""

    def flow(self, z: Tensor) -> tuple[Tensor, Tensor]:
        z, log_det = super().flow(z)
        return z, log_det / 2


class _WrongPosterior(Posterior):
    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.right = RadialPosterior(latent_dim, flow_length=4)
        self.parameter_count = self.right.parameter_count

    def forward(self, features: Tensor) -> FlowDistribution:
        q = self.right(features)
        return _WrongFlow(q.base, q.transforms)


def test_wrong_determinants_are_caught() -> None:
    numbers = check(_WrongPosterior)
    assert numbers["posterior_log_det_error"] > 0.1
    assert numbers["posterior_log_prob_error"] > 0.1
    off = abs(numbers["posterior_normalization"] - 1)
    assert off > 5 * numbers["posterior_normalization_se"]


class _WrongNormal(DiagonalNormal):
    """Drops log 2π / 2 of each dimension, in both ways alike."""

    def sample_with_log_prob(self, sample_shape: torch.Size) -> tuple[Tensor, Tensor]:
        z, log_prob = super().sample_with_log_prob(sample_shape)
        return z, log_prob + 0.9189 * z.shape[-1]

    def log_prob(self, value: Tensor) -> Tensor:
        return super().log_prob(value) + 0.9189 * value.shape[-1]


class _UnnormalizedPosterior(Posterior):
    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.parameter_count = 2 * latent_dim

    def forward(self, features: Tensor) -> DiagonalNormal:
        return _WrongNormal(*features.chunk(2, -1))


def test_lost_constants_are_caught() -> None:
    numbers = check(_UnnormalizedPosterior)
    assert numbers["posterior_log_prob_error"] < 1e-8  # consistent, and wrong
    assert numbers["posterior_normalization"] < 0.5


def test_too_few_draws_for_a_covariance_leave_it_out() -> None:
    torch.manual_seed(0)
    truth = LinearGaussian()
    split = Split(
        "test", StoredImages(truth.batch(5).x), Treatment("none", dequantize=False, levels=None)
    )
    numbers = PosteriorCheck(images=2, samples=6).numbers(
        truth.vae().float(), {"test": split}, "test"
    )
    assert "posterior_normalization" not in numbers
