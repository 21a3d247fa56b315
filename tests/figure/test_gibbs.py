import math
from functools import partial

import numpy as np
import pytest
import torch
from linear_gaussian import NOISE, LinearGaussian
from torch import Size

from vae_cli.data.batch import Batch
from vae_cli.data.corruption import flip, gaussian
from vae_cli.data.dataset import StoredImages
from vae_cli.data.split import Split, Treatment
from vae_cli.figure.base import draw
from vae_cli.figure.gibbs import gibbs_chain, is_binary, marks
from vae_cli.figure.inpaint import Inpaint, missing
from vae_cli.likelihood.bernoulli import BernoulliLikelihood
from vae_cli.model.vae import VAE
from vae_cli.network.mlp import MLP
from vae_cli.posterior.diagonal import DiagonalPosterior
from vae_cli.prior.standard import StandardPrior

CPU = torch.device("cpu")
CHAINS = 4000


def repeated(batch: Batch, count: int) -> Batch:
    """The first image, so many times."""
    return Batch(*(field[:1].expand(count, *field.shape[1:]).clone() for field in batch))


def test_missing_pixels_end_up_with_their_exact_conditional_distribution() -> None:
    """q(z|x) is the true posterior here, so that the chain is Gibbs sampling."""
    truth = LinearGaussian()
    batch = repeated(truth.batch(1), CHAINS)
    given = torch.tensor([True, False, True, False, False, True])
    observed = given.view(1, 1, 2, 3)
    start = batch._replace(x=torch.where(observed, batch.x, 0.0))
    torch.manual_seed(0)
    with torch.no_grad():
        *_, last = gibbs_chain(truth.vae(), start, observed, steps=100)
    covariance = truth.weight @ truth.weight.T + NOISE**2 * torch.eye(6, dtype=torch.float64)
    gain = covariance[~given][:, given] @ torch.linalg.inv(covariance[given][:, given])
    value = batch.x[0].flatten()
    mean = truth.offset[~given] + gain @ (value - truth.offset)[given]
    variance = (covariance[~given][:, ~given] - gain @ covariance[given][:, ~given]).diagonal()
    ends = last.x.flatten(1)[:, ~given]
    error = variance.sqrt() / math.sqrt(CHAINS)
    assert ((ends.mean(0) - mean).abs() < 4 * error).all()
    assert ((last.mean.flatten(1)[:, ~given].mean(0) - mean).abs() < 4 * error).all()
    # The relative error of a Gaussian's variance is sqrt(2 / N).
    assert ((ends.var(0) / variance - 1).abs() < 4 * math.sqrt(2 / CHAINS)).all()


@pytest.mark.parametrize("mask", ["left", "right", "top", "bottom", "random"])
def test_observed_pixels_never_change(mask: str) -> None:
    truth = LinearGaussian()
    batch = truth.batch(5)
    torch.manual_seed(0)
    observed = ~missing(mask, 0.5, batch.x.shape, CPU)
    with torch.no_grad():
        steps = list(gibbs_chain(truth.vae(), batch, observed, steps=5))
    seen = observed.expand_as(batch.x)
    assert len(steps) == 5
    for step in steps:
        assert (step.x[seen] == batch.x[seen]).all()
        assert (step.mean[seen] == batch.x[seen]).all()
        assert (step.x[~seen] != batch.x[~seen]).all()


def test_draws_stay_within_limits() -> None:
    truth = LinearGaussian()
    batch = truth.batch(50)
    torch.manual_seed(0)
    observed = ~missing("left", 0.5, batch.x.shape, CPU)
    with torch.no_grad():
        *_, last = gibbs_chain(truth.vae(), batch, observed, steps=5, limits=(-0.5, 0.5))
    drawn = last.x[~observed.expand_as(last.x)]
    assert drawn.min() == -0.5 and drawn.max() == 0.5


def test_picture_of_a_chain_that_runs_away() -> None:
    """An encoder with a large gain and draws that it widens: numbers grow at each step."""
    one = LinearGaussian().vae(log_stretch=3.0).float()
    with torch.no_grad():
        one.encoder.layers[0].weight.mul_(10)
    pixels = torch.rand(5, 1, 2, 3, generator=torch.Generator().manual_seed(0))
    images = Split("test", StoredImages(pixels), Treatment("none", False, None))
    arrays = draw("inpaint", Inpaint(count=5, steps=200), one.eval(), images).arrays
    assert np.isfinite(arrays["mean"]).all()
    assert arrays["x"].min() >= pixels.min() and arrays["x"].max() <= pixels.max()


def test_without_observed_pixels_all_are_drawn() -> None:
    torch.manual_seed(0)
    shape, network = Size([1, 3, 3]), partial(MLP, hidden_dims=[4])
    model = VAE(shape, 2, network, network, DiagonalPosterior, StandardPrior, BernoulliLikelihood)
    x = torch.rand(3, *shape)
    batch = Batch(x, x, torch.full((3,), -1), torch.arange(3))
    with torch.no_grad():
        (step,) = gibbs_chain(model, batch, torch.zeros_like(x, dtype=torch.bool), steps=1)
    assert is_binary(step.x) and not is_binary(x)
    assert ((step.mean > 0) & (step.mean < 1)).all()


@pytest.mark.parametrize("mask", ["left", "right", "top", "bottom"])
@pytest.mark.parametrize("fraction", [0.01, 0.5, 1.0])
def test_a_side_is_missing(mask: str, fraction: float) -> None:
    across = mask in ("left", "right")
    hidden = missing(mask, fraction, Size([2, 3, 8, 6]), CPU)
    assert hidden.shape == (2, 1, 8, 6)
    lines = hidden[0, 0].mT if across else hidden[0, 0]
    assert (lines.all(1) == lines.any(1)).all()  # whole rows or columns
    expected = max(1, round(fraction * len(lines)))
    away = lines.flip(0) if mask in ("right", "bottom") else lines
    assert away[:expected].all() and not away[expected:].any()


def test_random_pixels_are_missing() -> None:
    torch.manual_seed(0)
    hidden = missing("random", 0.3, Size([50, 3, 20, 20]), CPU).float()
    assert abs(hidden.mean() - 0.3) < 4 * math.sqrt(0.21 / hidden.numel())
    assert not torch.equal(hidden[0], hidden[1])


def test_noise_has_its_level() -> None:
    torch.manual_seed(0)
    x = torch.linspace(0, 1, 40000)
    flipped = flip(x, 0.1) != x
    assert abs(flipped.float().mean() - 0.1) < 4 * math.sqrt(0.09 / 40000)
    torch.testing.assert_close(flip(x, 1.0), 1 - x)
    assert abs((gaussian(x, 0.3) - x).std() / 0.3 - 1) < 4 / math.sqrt(2 * 40000)


@pytest.mark.parametrize(
    ("steps", "shown"),
    [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (10, [1, 2, 5, 10]), (60, [1, 2, 5, 10, 20, 50, 60])],
)
def test_marks(steps: int, shown: list[int]) -> None:
    assert marks(steps) == shown
