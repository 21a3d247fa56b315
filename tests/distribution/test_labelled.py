"""A label and a vector: what the pair's distribution says, against its parts."""

import math
from collections.abc import Callable

import pytest
import torch
from posterior.posteriors import POSTERIORS, bent
from torch import Tensor
from torch.distributions import Distribution

from vae_cli.distribution import labelled
from vae_cli.distribution.labelled import LabelledDistribution
from vae_cli.distribution.normal import StandardNormal
from vae_cli.distribution.relations import (
    closed_form_mean,
    mean,
    mean_and_variance,
    sample_with_log_prob,
)

K, D, S = 3, 2, 2_000
KINDS = pytest.mark.parametrize("kind", ["prior", "diagonal", "planar 4", "radial 4"])
BATCHES = pytest.mark.parametrize("batch", [(), (4,), (2, 3)], ids=str)
SAMPLES = pytest.mark.parametrize("sample_shape", [(), (5,), (2, 3)], ids=str)


def conditional(kind: str, batch: tuple[int, ...], d: int = D) -> Callable[[Tensor], Distribution]:
    """q(z|y), other for each class and each of a batch; the prior's does not depend on either."""
    if kind == "prior":
        p = StandardNormal(torch.zeros(d).double())
        return lambda y: p
    posterior = POSTERIORS[kind][0](latent_dim=d)
    count = math.prod(batch)
    said = bent(posterior, d, K + count)
    of_label, of_image = said[:K], 0.3 * said[K:].view(*batch, -1)
    return lambda y: posterior(y @ of_label + of_image)


def build(kind: str, batch: tuple[int, ...] = (), d: int = D) -> LabelledDistribution:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(*batch, K, generator=generator, dtype=torch.float64)
    return LabelledDistribution(logits.log_softmax(-1), conditional(kind, batch, d), d)


def joined(z: Tensor, label: int) -> Tensor:
    y = torch.eye(K, dtype=torch.float64)[label]
    return torch.cat([z, y.expand(*z.shape[:-1], -1)], -1)


@pytest.fixture(params=[False, True], ids=["at once", "in pieces"])
def _pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param:
        monkeypatch.setattr(labelled, "ROWS", 5)


@KINDS
@BATCHES
@SAMPLES
def test_density_of_its_draws(
    kind: str, batch: tuple[int, ...], sample_shape: tuple[int, ...]
) -> None:
    q = build(kind, batch)
    assert q.batch_shape == batch and q.event_shape == (D + K,)
    torch.manual_seed(0)
    value, log_q = sample_with_log_prob(q, sample_shape)
    assert value.shape == (*sample_shape, *batch, D + K)
    assert log_q.shape == (*sample_shape, *batch)
    torch.testing.assert_close(q.log_prob(value), log_q, rtol=0, atol=1e-8)
    torch.manual_seed(0)
    torch.testing.assert_close(q.rsample(sample_shape), value, rtol=0, atol=0)
    y = value[..., D:]
    assert ((y == 0) | (y == 1)).all() and (y.sum(-1) == 1).all()


@KINDS
@BATCHES
def test_density_is_that_of_the_parts(kind: str, batch: tuple[int, ...]) -> None:
    q = build(kind, batch)
    z = torch.randn(7, *batch, D, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for label in range(K):
        y = torch.eye(K, dtype=torch.float64)[label].expand(*batch, K)
        expected = q.log_label[..., label] + q.given(y).log_prob(z)
        torch.testing.assert_close(q.log_prob(joined(z, label)), expected)


@KINDS
def test_sums_and_integrates_to_one(kind: str) -> None:
    q = build(kind, (2,), d=1)
    z = torch.linspace(-12, 12, 3_001, dtype=torch.float64)
    grid = z.view(-1, 1, 1).expand(-1, 2, 1)
    mass = [torch.trapezoid(q.log_prob(joined(grid, y)).exp(), z, dim=0) for y in range(K)]
    torch.testing.assert_close(torch.stack(mass, -1), q.log_label.exp(), rtol=0, atol=1e-4)
    torch.testing.assert_close(sum(mass), torch.ones(2).double(), rtol=0, atol=1e-4)


@KINDS
@BATCHES
@pytest.mark.usefixtures("_pieces")
def test_mean_is_that_of_draws(kind: str, batch: tuple[int, ...]) -> None:
    q = build(kind, batch)
    torch.manual_seed(0)
    draws = q.rsample((S,))
    error = draws.std(0) / S**0.5
    exact = closed_form_mean(q)
    assert (exact is None) == kind.startswith(("planar", "radial"))
    if exact is None:  # of z given each label it is then one of draws; the label's share is exact
        found, variance = mean_and_variance(q, 2000)
        torch.testing.assert_close(found[..., D:], q.log_label.exp())
        assert (variance[..., D:] == 0).all() and (variance[..., :D].sqrt() < error[..., :D]).all()
        assert ((found - draws.mean(0)).abs() < 5 * (error.square() + variance).sqrt()).all()
    else:
        assert exact.shape == (*batch, D + K)
        assert ((exact - draws.mean(0)).abs() < 4.5 * error).all()


@pytest.mark.parametrize("batch", [(), (4,)], ids=str)
def test_pieces_make_no_difference(batch: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    q = build("diagonal", batch)
    whole, calls = q.mean, []
    given = q.given
    q.given = lambda y: (calls.append(len(y)), given(y))[1]
    monkeypatch.setattr(labelled, "ROWS", 2)
    torch.testing.assert_close(q.mean, whole)
    assert calls == ([1, 1, 1] if batch else [2, 1])


@KINDS
@BATCHES
def test_most_probable(kind: str, batch: tuple[int, ...]) -> None:
    q = build(kind, batch)
    z = torch.zeros(*batch, D, dtype=torch.float64)
    each = torch.stack([q.log_prob(joined(z, y)) - q.log_label[..., y] for y in range(K)], -1)
    best = q.log_label.argmax(-1, keepdim=True)
    expected = each.expand(*batch, K).gather(-1, best).squeeze(-1)
    torch.testing.assert_close(q.most_probable().log_prob(z), expected)


@KINDS
@BATCHES
def test_a_class_may_be_impossible(kind: str, batch: tuple[int, ...]) -> None:
    log_label = torch.tensor([-math.inf, math.log(0.3), math.log(0.7)], dtype=torch.float64)
    free = log_label.expand(*batch, K).clone().requires_grad_()
    q = LabelledDistribution(free, conditional(kind, batch), D)
    torch.manual_seed(0)
    value, log_q = q.sample_with_log_prob((200,))
    assert (value[..., D] == 0).all() and value.isfinite().all() and log_q.isfinite().all()
    torch.testing.assert_close(q.log_prob(value), log_q, rtol=0, atol=1e-8)
    z = torch.zeros(*batch, D, dtype=torch.float64)
    assert (q.log_prob(joined(z, 0)) == -math.inf).all()
    assert mean(q).isfinite().all()
    (gradient,) = torch.autograd.grad(log_q.sum(), free)
    torch.testing.assert_close(gradient, value[..., D:].sum(0))


@pytest.mark.parametrize("kind", ["diagonal", "planar 1", "radial 1"])
def test_gradients_flow_through_z_and_the_density_of_the_label(kind: str) -> None:
    posterior = POSTERIORS[kind][0](latent_dim=D)
    said, logits = bent(posterior, D, K), torch.tensor([0.1, -0.4, 0.2], dtype=torch.float64)

    def draw(features: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
        torch.manual_seed(0)
        q = LabelledDistribution(logits.log_softmax(-1), lambda y: posterior(y @ features), D)
        value, log_q = q.sample_with_log_prob((6,))
        return value[..., :D], log_q

    inputs = (said.requires_grad_(), logits.requires_grad_())
    assert torch.autograd.gradcheck(draw, inputs, eps=1e-6, atol=1e-6)
    z, _ = draw(*inputs)
    by_features, by_logits = torch.autograd.grad(z.sum(), inputs, allow_unused=True)
    assert by_features.abs().sum() > 0 and by_logits is None
