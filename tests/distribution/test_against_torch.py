"""Our own distributions against those of torch that they stand for: a new one adds a row."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Distribution, Independent, Normal

from vae_cli.distribution.bernoulli import IndependentBernoulli
from vae_cli.distribution.normal import DiagonalNormal, StandardNormal


@dataclass(frozen=True)
class Case:
    """A distribution, and torch's, both from the same numbers of shape ``shape``."""

    name: str
    shape: tuple[int, ...]
    ours: Callable[[Tensor], Distribution]
    torchs: Callable[[Tensor], Distribution]


CASES = [
    Case(
        "diagonal normal",
        (4, 3, 2),
        lambda t: DiagonalNormal(t[..., 0], t[..., 1]),
        lambda t: Independent(Normal(t[..., 0], t[..., 1].exp()), 1),
    ),
    Case(
        "standard normal",
        (3,),
        lambda t: StandardNormal(0 * t),
        lambda t: Independent(Normal(0 * t, 1), 1),
    ),
    Case(
        "bernoulli image",
        (4, 2, 3, 5),
        lambda t: IndependentBernoulli(t, 3),
        lambda t: Independent(Bernoulli(logits=t), 3),
    ),
]
ROWS = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
SAMPLE_SHAPES = pytest.mark.parametrize("sample_shape", [(), (1,), (6,), (2, 3)], ids=str)


def numbers(case: Case) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(case.shape, generator=generator, dtype=torch.float64)


@ROWS
@SAMPLE_SHAPES
def test_shapes_and_densities(case: Case, sample_shape: tuple[int, ...]) -> None:
    ours, torchs = case.ours(numbers(case)), case.torchs(numbers(case))
    assert (ours.batch_shape, ours.event_shape) == (torchs.batch_shape, torchs.event_shape)
    assert ours.has_rsample == torchs.has_rsample
    torch.manual_seed(0)
    x = ours.sample(torch.Size(sample_shape))
    assert x.shape == torchs.sample(torch.Size(sample_shape)).shape
    assert x.dtype == torch.float64
    assert not x.requires_grad
    torch.testing.assert_close(ours.log_prob(x), torchs.log_prob(x), rtol=1e-12, atol=1e-12)


@ROWS
def test_moments(case: Case) -> None:
    ours, torchs = case.ours(numbers(case)), case.torchs(numbers(case))
    torch.testing.assert_close(ours.mean, torchs.mean)
    torch.testing.assert_close(ours.variance, torchs.variance)
    torch.manual_seed(0)
    draws = ours.sample(torch.Size([20_000]))
    assert ((draws.mean(0) - torchs.mean).abs() < 5 * torchs.stddev / 20_000**0.5).all()
    torch.testing.assert_close(draws.std(0), torchs.stddev, rtol=0.05, atol=0)


@ROWS
def test_gradients(case: Case) -> None:
    with torch.no_grad():
        x = case.ours(numbers(case)).sample()

    def log_prob(t: Tensor) -> Tensor:
        return case.ours(t).log_prob(x) + 0 * t.sum()

    assert torch.autograd.gradcheck(log_prob, (numbers(case).requires_grad_(),))


@pytest.mark.parametrize("log_scale", [-30.0, 0.0, 30.0])
def test_log_density_of_extreme_scales(log_scale: float) -> None:
    q = DiagonalNormal(torch.zeros(5), torch.full((5,), log_scale))
    z, log_q = q.sample_with_log_prob((100,))
    assert torch.isfinite(log_q).all()
    torch.testing.assert_close(q.log_prob(z), log_q, rtol=1e-5, atol=1e-4)
