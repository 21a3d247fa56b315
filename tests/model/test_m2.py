"""The bound for every class against a plain loop over classes, and against the evidence."""

import copy
import math
from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import NamedTuple

import pytest
import torch
from torch import Size, Tensor, nn
from torch.nn.functional import one_hot
from torch.profiler import ProfilerActivity, profile

from vae_cli.data.batch import Batch
from vae_cli.distribution.flow import FlowDistribution
from vae_cli.distribution.latent import Latent
from vae_cli.distribution.normal import kl_from_standard
from vae_cli.likelihood.bernoulli import BernoulliLikelihood
from vae_cli.likelihood.gaussian import GaussianLikelihood
from vae_cli.model import m2
from vae_cli.model.importance import evidence_estimate
from vae_cli.model.labelled import ClassTerms
from vae_cli.model.m2 import M2
from vae_cli.model.vae import apply_likelihood
from vae_cli.network.conv import Conv
from vae_cli.network.gated_conv import GatedConv
from vae_cli.network.mlp import MLP
from vae_cli.objective.semi_supervised import SemiSupervised
from vae_cli.posterior.diagonal import DiagonalPosterior
from vae_cli.posterior.planar import PlanarPosterior
from vae_cli.posterior.radial import RadialPosterior
from vae_cli.prior.standard import StandardPrior

SHAPE, D, K = Size([2, 5, 4]), 2, 5
NETWORKS = {
    "mlp": partial(MLP, hidden_dims=[9], activation="softplus"),
    "conv": partial(Conv, channels=[3, 4], hidden_dim=9, activation="tanh"),
    "gated_conv": partial(GatedConv, channels=[3, 4], strides=[2, 1], hidden_dim=9),
}
POSTERIORS = {
    "diagonal": DiagonalPosterior,
    "planar": partial(PlanarPosterior, flow_length=2),
    "radial": partial(RadialPosterior, flow_length=2),
}
LIKELIHOODS = {"bernoulli": BernoulliLikelihood, "gaussian": GaussianLikelihood}
MODELS = [" ".join(names) for names in product(NETWORKS, POSTERIORS, LIKELIHOODS)]
ROWS = pytest.mark.parametrize("name", MODELS)


def build(
    name: str, shape: Size = SHAPE, latent_dim: int = D, classes: int = K, strength: float = 2
) -> M2:
    """A model that heeds labels: its weights are so much larger than fresh ones."""
    torch.manual_seed(0)
    network, posterior, likelihood = name.split(" ")
    model = M2(
        shape, latent_dim, classes, NETWORKS[network], NETWORKS[network], POSTERIORS[posterior],
        StandardPrior, LIKELIHOODS[likelihood],
    ).double()  # fmt: skip
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(strength)
    return model


def batch(count: int, shape: Size = SHAPE) -> Batch:
    generator = torch.Generator().manual_seed(1)
    x = (torch.rand(count, *shape, generator=generator) > 0.5).double()
    return Batch(x, x, torch.arange(count) % 3 - 1, torch.arange(count))


class Loop(NamedTuple):
    """A term for each class: each ``(S, B, K)``."""

    log_likelihood: Tensor
    kl: Tensor


def loop(model: M2, images: Batch, noise: Tensor, closed_form_kl: bool) -> Loop:
    """The terms one class and one image at a time, from ``noise``, ``(S, B, K, D)``."""
    samples, count = noise.shape[:2]
    log_likelihood, kl = [], []
    for s, i, k in product(range(samples), range(count), range(model.classes)):
        y = one_hot(torch.tensor(k), model.classes).double()
        q = model.posterior(model.encoder(images.input[i], y))
        base = q.base if isinstance(q, FlowDistribution) else q
        start = base.loc + base.scale * noise[s, i, k]
        z = q.flow(start)[0] if isinstance(q, FlowDistribution) else start
        p_x = apply_likelihood(model.likelihood, model.decoder(torch.cat([z, y])))
        log_likelihood.append(p_x.log_prob(images.x[i]))
        p = model.latent_prior()
        drawn = q.log_prob(z) - p.log_prob(z)
        known = kl_from_standard(base).sum() - base.log_prob(start) + p.log_prob(start)
        kl.append(drawn + known if closed_form_kl else drawn)
    shape = (samples, count, model.classes)
    return Loop(torch.stack(log_likelihood).view(shape), torch.stack(kl).view(shape))


def noise_of(samples: int, count: int, pieces: list[int]) -> Tensor:
    """What is drawn from the seed for so many classes at a time."""
    torch.manual_seed(3)
    drawn = [torch.randn(samples, count, size, D, dtype=torch.float64) for size in pieces]
    return torch.cat(drawn, 2)


def seeded(model: M2, images: Batch, samples: int, closed_form_kl: bool = True) -> ClassTerms:
    torch.manual_seed(3)
    return model.class_terms(images, samples, closed_form_kl)


@ROWS
@pytest.mark.parametrize(
    ("rows", "pieces", "closed_form_kl"),
    [(10_000, [K], True), (9, [2, 2, 1], False)],
    ids=["at once", "in pieces"],
)
def test_class_terms_are_those_of_a_loop(
    name: str, rows: int, pieces: list[int], closed_form_kl: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In values and in gradients, also where the pieces are computed anew for the latter."""
    monkeypatch.setattr(m2, "ROWS", rows)
    model, images = build(name), batch(2)
    terms = seeded(model, images, 2, closed_form_kl)
    expected = loop(model, images, noise_of(2, 2, pieces), closed_form_kl)
    torch.testing.assert_close((terms.log_likelihood, terms.kl), tuple(expected))
    log_label = model.classifier(images.input).log_softmax(-1)
    torch.testing.assert_close(terms.log_label, log_label.expand(2, 2, K))
    torch.testing.assert_close(terms.log_label_prior, torch.full((K,), -math.log(K)).double())
    with torch.no_grad():
        torch.testing.assert_close(seeded(model, images, 2, closed_form_kl).kl, terms.kl)

    parts = [*model.encoder.parameters(), *model.decoder.parameters()]
    weights = torch.randn(2, 2, 2, K, generator=torch.Generator().manual_seed(4)).double()
    both = [
        torch.autograd.grad((weights * torch.stack([a, b])).sum(), parts)
        for a, b in ((terms.log_likelihood, terms.kl), expected)
    ]
    torch.testing.assert_close(*both)


def test_the_labels_are_seen() -> None:
    terms = seeded(build("mlp diagonal bernoulli"), batch(4), 1)
    for term in (terms.log_likelihood, terms.kl, terms.log_label):
        assert (term.std(-1) > 0.01).all()


@ROWS
def test_bounds(name: str) -> None:
    terms = seeded(build(name), batch(4), 3)
    q = terms.log_label.exp()
    torch.testing.assert_close(q.sum(-1), torch.ones(3, 4).double())
    entropy = -(q * q.log()).sum(-1)
    torch.testing.assert_close(terms.entropy, entropy)
    torch.testing.assert_close(terms.label_kl, math.log(K) - entropy)
    for weight in (0.0, 0.5, 1.0):
        labelled = terms.log_likelihood - weight * terms.kl - math.log(K)
        torch.testing.assert_close(terms.labelled_bound(weight), labelled)
        given = (q * (terms.log_likelihood - weight * terms.kl)).sum(-1)
        expected = given - weight * (math.log(K) - entropy)
        torch.testing.assert_close(terms.unlabelled_bound(weight), expected)
    torch.testing.assert_close(
        terms.unlabelled_bound(), (q * terms.labelled_bound()).sum(-1) + entropy
    )


@ROWS
def test_terms_draw_what_class_terms_sum(name: str) -> None:
    model, images, samples = build(name), batch(2), 3000
    torch.manual_seed(0)
    with torch.no_grad():
        drawn = model.terms(images, samples, closed_form_kl=False).bound()
        summed = model.class_terms(images, samples // 4, closed_form_kl=True).unlabelled_bound()
    error = (drawn.var(0) / samples + summed.var(0) / (samples // 4)).sqrt()
    assert ((drawn.mean(0) - summed.mean(0)).abs() < 4.5 * error).all()
    assert (summed.std(0) < drawn.std(0)).all()  # what the sum is for: less noise


@ROWS
def test_posterior_prior_and_decoder_agree_on_labels(name: str) -> None:
    model, images = build(name), batch(3)
    q, p = model.encode(images), model.prior()
    torch.manual_seed(0)
    value = q.rsample((2,))
    z, y = value.split([D, K], -1)
    label = y.argmax(-1)
    torch.testing.assert_close(Latent.with_label(z, label, K).event, value)
    torch.testing.assert_close(model.decode(value).mean, model.decode(z, label).mean)
    each = [model.posterior(model.encoder(images.input, y[s])).log_prob(z[s]) for s in range(2)]
    log_label = model.classify(images).expand(2, -1, -1).gather(-1, label.unsqueeze(-1))
    torch.testing.assert_close(q.log_prob(value), torch.stack(each) + log_label.squeeze(-1))
    log_p = model.latent_prior().log_prob(z) - math.log(K)
    torch.testing.assert_close(p.log_prob(value), log_p)


@ROWS
def test_gradients_reach_every_parameter(name: str) -> None:
    model = build(name)
    seeded(model, batch(6), 2).unlabelled_bound().mean().backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.abs().sum() > 0, key


@pytest.mark.parametrize("name", ["mlp diagonal bernoulli", "conv planar gaussian"])
def test_terms_are_float32_under_autocast(name: str) -> None:
    model, images = build(name).float(), batch(4)
    images = images._replace(x=images.x.float(), input=images.input.float())
    full = seeded(model, images, 2)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = seeded(model, images, 2)
    for one, other in zip(full, mixed, strict=True):
        assert one.dtype == other.dtype == torch.float32
        torch.testing.assert_close(other, one, rtol=0.05, atol=0.5)


# A model whose evidence is known: z has one dimension and the grid has all of it.
TINY = Size([1, 1, 3])
Z = torch.linspace(-30, 30, 6_001, dtype=torch.float64)


class Truth(NamedTuple):
    """By quadrature over z, nats: each ``(B, K)``."""

    log_joint: Tensor  # log p(x, y)
    bound: Tensor  # the mean of the labelled bound, E_{q(z|x,y)}[log p(x,y,z) - log q(z|x,y)]


@torch.no_grad()
def truth(model: M2, images: Batch) -> Truth:
    log_joint, bound = [], []
    for k in range(model.classes):
        z = Z.view(-1, 1, 1).expand(-1, len(images.x), 1)
        label = torch.full(z.shape[:-1], k)
        log_p = model.decode(z, label).log_prob(images.x)
        log_p = log_p + model.prior().log_prob(Latent.with_label(z, label, model.classes).event)
        y = one_hot(label[0], model.classes).double()
        log_q = model.encode(images).given(y).log_prob(z)
        log_joint.append(torch.trapezoid(log_p.exp(), Z, dim=0).log())
        bound.append(torch.trapezoid(log_q.exp() * (log_p - log_q), Z, dim=0))
        mass = torch.trapezoid(log_q.exp(), Z, dim=0)
        torch.testing.assert_close(mass, torch.ones_like(mass), rtol=0, atol=1e-4)
    return Truth(torch.stack(log_joint, -1), torch.stack(bound, -1))


@pytest.fixture(params=[name for name in MODELS if name.startswith("mlp")], scope="module")
def tiny(request: pytest.FixtureRequest) -> Iterator[tuple[M2, Batch, Truth]]:
    model, images = build(request.param, TINY, 1, 3, strength=1), batch(4, TINY)
    yield model, images, truth(model, images)


def near(estimate: Tensor, expected: Tensor) -> None:
    """A mean over draws, ``(S, *)``, within what its noise allows."""
    error = estimate.std(0) / len(estimate) ** 0.5
    assert ((estimate.mean(0) - expected).abs() < 4.5 * error + 1e-4).all()


@torch.no_grad()
def test_bounds_lie_below_the_evidence(tiny: tuple[M2, Batch, Truth]) -> None:
    model, images, exact = tiny
    log_label = model.classify(images)
    unlabelled = (log_label.exp() * (exact.bound - log_label)).sum(-1)
    torch.manual_seed(0)
    for closed_form_kl in (True, False):
        terms = model.class_terms(images, 3000, closed_form_kl)
        near(terms.labelled_bound(), exact.bound)
        near(terms.unlabelled_bound(), unlabelled)
    assert (exact.bound < exact.log_joint).all()
    evidence = exact.log_joint.logsumexp(-1)
    assert (unlabelled < evidence).all()
    # A better q(y|x) is that of what the labels are worth: log Σ exp L, still below.
    assert (unlabelled <= exact.bound.logsumexp(-1)).all()
    assert (exact.bound.logsumexp(-1) < evidence).all()


@torch.no_grad()
def test_importance_sampling_finds_the_evidence(tiny: tuple[M2, Batch, Truth]) -> None:
    model, images, exact = tiny
    torch.manual_seed(0)
    samples = 8000
    found = evidence_estimate(model, images, model.encode(images), samples)
    error = (1 / found.effective_sample_size - 1 / samples).sqrt()
    assert ((found.log_likelihood - exact.log_joint.logsumexp(-1)).abs() < 4 * error).all()
    assert (error < 0.1).all()


@torch.no_grad()
def test_importance_sampling_sums_over_classes(tiny: tuple[M2, Batch, Truth]) -> None:
    """A class that q(y|x) rules out has its share of log p(x) all the same."""
    model, images, exact = tiny
    sure = copy.deepcopy(model)
    last = [m for m in sure.classifier.modules() if isinstance(m, nn.Linear)][-1]
    last.weight.zero_()
    last.bias.copy_(torch.tensor([40.0] + [0.0] * (model.classes - 1)))
    torch.manual_seed(0)
    found = evidence_estimate(sure, images, sure.encode(images), 8000)
    error = (1 / found.effective_sample_size - 1 / 8000).sqrt()
    assert (error < 0.2).all()
    assert ((found.log_likelihood - exact.log_joint.logsumexp(-1)).abs() < 4 * error).all()


def peak_bytes(classes: int) -> int:
    """Most bytes alive during a step with its gradient, above what there was before."""
    network = partial(MLP, hidden_dims=[20])
    model = M2(
        Size([1, 20, 20]), 2, classes, network, network, DiagonalPosterior, StandardPrior,
        BernoulliLikelihood,
    )  # fmt: skip
    x = torch.zeros(4, 1, 20, 20)
    images = Batch(x, x, torch.tensor([0, -1, -1, -1]), torch.arange(4))
    objective = SemiSupervised(1, 4)
    objective(model, images, 1.0)[0].backward()  # the gradients are there
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        objective(model, images, 1.0)[0].backward()
    changes = [
        e.nbytes() for e in recorded.profiler.kineto_results.events() if e.name() == "[memory]"
    ]
    return int(torch.tensor(changes).cumsum(0).max())


def test_memory_does_not_grow_with_the_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(m2, "ROWS", 100)
    few, many = peak_bytes(25), peak_bytes(1000)
    monkeypatch.setattr(m2, "ROWS", 10_000)
    at_once = peak_bytes(1000)
    assert many < 5 * few
    assert many < at_once / 5
