import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product

import pytest
import torch
from torch import Tensor
from torch.distributions import constraints
from torch.distributions.constraints import Constraint
from torch.nn.functional import softplus

from vae_cli.errors import InvalidOption
from vae_cli.likelihood.base import Likelihood
from vae_cli.likelihood.bernoulli import BernoulliLikelihood
from vae_cli.likelihood.gaussian import GaussianLikelihood


def bernoulli_log_prob(features: Tensor, x: Tensor) -> Tensor:  # features by parameter
    (features,) = features
    return torch.where(x == 1, torch.sigmoid(features), torch.sigmoid(-features)).log()


def gaussian_log_prob(loc: Tensor, scale: Tensor | float, x: Tensor) -> Tensor:
    scale = torch.as_tensor(scale, dtype=x.dtype)
    return -0.5 * math.log(2 * math.pi) - scale.log() - ((x - loc) / scale) ** 2 / 2


def learned_log_prob(features: Tensor, x: Tensor) -> Tensor:
    loc, free = features
    bound = math.log(0.01)
    return gaussian_log_prob(loc, (bound + softplus(free - bound)).exp(), x)


def shared_log_prob(features: Tensor, x: Tensor) -> Tensor:
    return gaussian_log_prob(features[0], 1.01, x)  # the parameter is 0 at first: 0.01 + exp(0)


@dataclass(frozen=True)
class Case:
    """A likelihood with the log-density of each value, written independently."""

    name: str
    make: Callable[..., Likelihood]  # from the shape of an example
    parameters_per_value: int
    support: Constraint
    log_prob: Callable[[Tensor, Tensor], Tensor]


REAL = constraints.real
LIKELIHOODS = [
    Case("bernoulli", BernoulliLikelihood, 1, constraints.boolean, bernoulli_log_prob),
    Case("gaussian learned", GaussianLikelihood, 2, REAL, learned_log_prob),
    Case("gaussian shared", partial(GaussianLikelihood, scale="shared"), 1, REAL, shared_log_prob),
    Case(
        "gaussian 0.3",
        partial(GaussianLikelihood, scale=0.3),
        1,
        REAL,
        lambda features, x: gaussian_log_prob(features[0], 0.3, x),
    ),
    Case(
        "gaussian 2",
        partial(GaussianLikelihood, scale=2),
        1,
        REAL,
        lambda features, x: gaussian_log_prob(features[0], 2.0, x),
    ),
    Case(
        "gaussian sigmoid",
        partial(GaussianLikelihood, scale=0.3, mean="sigmoid"),
        1,
        REAL,
        lambda features, x: gaussian_log_prob(1 / (1 + (-features[0]).exp()), 0.3, x),
    ),
]
ROWS = pytest.mark.parametrize("case", LIKELIHOODS, ids=lambda case: case.name)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@ROWS
@pytest.mark.parametrize("shape", [(1, 5, 6), (3, 5, 6), (7, 2), (1,), (4,)], ids=str)
@pytest.mark.parametrize("batch_shape", [(), (4,), (3, 4)])
def test_log_prob(case: Case, shape: tuple[int, ...], batch_shape: tuple[int, ...]) -> None:
    likelihood = case.make(shape).double()
    assert likelihood.parameters_per_value == case.parameters_per_value
    assert likelihood.support is case.support
    features = 2 * random(*batch_shape, case.parameters_per_value, *shape)
    p = likelihood(features)
    assert (p.batch_shape, p.event_shape) == (batch_shape, shape)
    x = p.sample()
    assert bool(case.support.check(x).all())
    by_parameter = features.movedim(len(batch_shape), 0)
    expected = case.log_prob(by_parameter, x).flatten(len(batch_shape)).sum(-1)
    torch.testing.assert_close(p.log_prob(x), expected, rtol=1e-9, atol=1e-9)


@ROWS
def test_one_example_under_several_draws(case: Case) -> None:
    p = case.make((1, 5, 6)).double()(random(3, 4, case.parameters_per_value, 1, 5, 6))
    x = (random(4, 1, 5, 6, seed=1) > 0).double()
    each = torch.stack([p.log_prob(x.expand(3, 4, 1, 5, 6))[s] for s in range(3)])
    torch.testing.assert_close(p.log_prob(x), each)


@ROWS
def test_mean_is_that_of_the_draws(case: Case) -> None:
    p = case.make((9,)).double()(random(case.parameters_per_value, 9))
    torch.manual_seed(0)
    draws = p.sample((10_000,))
    assert ((draws.mean(0) - p.mean).abs() < 5 * draws.std(0) / 100).all()


@ROWS
def test_gradients(case: Case) -> None:
    likelihood = case.make((2, 2)).double()
    x = (random(2, 2, 2, seed=1) > 0).double()
    features = random(2, case.parameters_per_value, 2, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda f: likelihood(f).log_prob(x), (features,))


def test_bernoulli_sums_to_one_over_all_examples() -> None:
    examples = torch.tensor(list(product([0.0, 1.0], repeat=4)), dtype=torch.float64)
    p = BernoulliLikelihood((4,))(3 * random(1, 4))
    total = p.log_prob(examples).exp().sum()
    torch.testing.assert_close(total, torch.ones((), dtype=torch.float64))


@pytest.mark.parametrize("logit", [-1e4, 1e4])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_bernoulli_at_extreme_logits(logit: float, value: float) -> None:
    features = torch.full((1, 1), logit, requires_grad=True)
    log_prob = BernoulliLikelihood((1,))(features).log_prob(torch.full((1,), value))
    assert log_prob.item() == (0 if (logit > 0) == (value == 1) else -1e4)
    log_prob.backward()
    assert features.grad.item() == value - (logit > 0)


@pytest.mark.parametrize("case", LIKELIHOODS[1:], ids=lambda case: case.name)
@pytest.mark.parametrize("free", [-10.0, 0.0])
def test_gaussian_integrates_to_one(case: Case, free: float) -> None:
    likelihood = case.make((1,)).double()
    features = torch.tensor([0.2, free][: case.parameters_per_value], dtype=torch.float64)
    x = torch.linspace(-20, 20, 40_001, dtype=torch.float64)
    total = likelihood(features.view(-1, 1)).log_prob(x.view(-1, 1)).exp().sum() * 1e-3
    assert abs(total - 1) < 1e-9


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("min_scale", [1e-4, 0.01, 0.5])
def test_learned_scale_has_a_bound(min_scale: float, dtype: torch.dtype) -> None:
    free = torch.cat([torch.linspace(-1e4, -50, 50), torch.linspace(-50, 8, 400)]).to(dtype)
    features = torch.stack([torch.zeros_like(free), free])
    scale = GaussianLikelihood(free.shape, min_scale=min_scale)(features).base_dist.scale.flatten()
    eps = torch.finfo(dtype).eps
    assert (scale >= min_scale * (1 - 16 * eps)).all()
    assert (scale.diff() >= 0).all()
    low, high = scale[0].item(), scale[-1].item()
    assert low == pytest.approx(min_scale, rel=16 * eps)
    assert high == pytest.approx(math.exp(8) + min_scale, rel=16 * eps)
    # In closed form: log(m) + softplus(a - log m) = log(m + exp(a)).
    expected = min_scale + free.double().exp()
    torch.testing.assert_close(scale.double(), expected, rtol=32 * eps, atol=0)


def test_learned_scale_is_of_each_value() -> None:
    features = random(2, 3, 2, 2)
    p = GaussianLikelihood((3, 2, 2))(features)
    torch.testing.assert_close(p.mean, features[0])
    torch.testing.assert_close(p.variance.sqrt(), 0.01 + features[1].exp())


@pytest.mark.parametrize("scale", ["learned", "shared", 0.3])
def test_mean_may_be_kept_between_0_and_1(scale: float | str) -> None:
    identity, sigmoid = (GaussianLikelihood((3,), scale, mean=m) for m in ("identity", "sigmoid"))
    features = 3 * random(identity.parameters_per_value, 3)
    free, bounded = identity(features), sigmoid(features)
    torch.testing.assert_close(bounded.mean, torch.sigmoid(free.mean))
    torch.testing.assert_close(bounded.variance, free.variance)


def test_unknown_mean() -> None:
    with pytest.raises(InvalidOption, match=r"^mean=tanh: needs one of identity, sigmoid"):
        GaussianLikelihood((1,), mean="tanh")


def test_shared_scale_learns() -> None:
    likelihood = GaussianLikelihood((2, 2), "shared")
    (parameter,) = likelihood.parameters()
    x = 3 * torch.randn(1000, 2, 2, generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.Adam([parameter], lr=0.1)
    for _ in range(100):
        optimizer.zero_grad()
        (-likelihood(torch.zeros(1, 2, 2)).log_prob(x).mean()).backward()
        optimizer.step()
    scale = likelihood(torch.zeros(1, 2, 2)).variance.sqrt()
    torch.testing.assert_close(scale, x.square().mean().sqrt().expand(2, 2), rtol=1e-2, atol=0)


@pytest.mark.parametrize("option", ["scale", "min_scale"])
@pytest.mark.parametrize("value", [0, -1.0, "fixed", None, math.inf, math.nan])
def test_bad_scales(option: str, value: object) -> None:
    with pytest.raises(InvalidOption, match=f"^{option}="):
        GaussianLikelihood((1,), **{option: value})
