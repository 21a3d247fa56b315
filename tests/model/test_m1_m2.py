"""M2 on features: its terms, and its bound against an evidence that quadrature knows."""

import math
from functools import partial

import pytest
import torch
from torch import Size, Tensor

from vae_cli.data.batch import Batch
from vae_cli.distribution.relations import sample_with_log_prob
from vae_cli.errors import InvalidOption
from vae_cli.likelihood.bernoulli import BernoulliLikelihood
from vae_cli.likelihood.gaussian import GaussianLikelihood
from vae_cli.metric.base import Evaluation
from vae_cli.metric.classification import Classification
from vae_cli.metric.confusion import Confusion
from vae_cli.model.codes import code_of
from vae_cli.model.importance import evidence_estimate
from vae_cli.model.m1_m2 import M1M2
from vae_cli.model.m2 import M2
from vae_cli.model.vae import VAE
from vae_cli.network.conv import Conv
from vae_cli.network.mlp import MLP
from vae_cli.posterior.base import Posterior
from vae_cli.posterior.diagonal import DiagonalPosterior
from vae_cli.posterior.planar import PlanarPosterior
from vae_cli.prior.standard import StandardPrior

SHAPE = Size([1, 3, 2])
CLASSES = 3
SMALL = partial(MLP, hidden_dims=[6], activation="tanh")
PLANAR = partial(PlanarPosterior, flow_length=2)
GAUSSIAN = partial(GaussianLikelihood, min_scale=0.3)
FEATURES = {  # network and posterior of the first stage
    "mlp": (SMALL, DiagonalPosterior),
    "conv": (partial(Conv, channels=[2], hidden_dim=4), DiagonalPosterior),
    "planar": (SMALL, PLANAR),
}
FIRST = pytest.mark.parametrize("first", FEATURES)
SECOND = pytest.mark.parametrize("posterior", [DiagonalPosterior, PLANAR], ids=["diagonal", "flow"])


def build(
    first: str = "mlp",
    posterior: type[Posterior] = DiagonalPosterior,
    dims: int = 2,
    features: int = 2,
    units: list[int] | None = None,
) -> M1M2:
    torch.manual_seed(0)
    network, of_features = FEATURES[first]
    vae = VAE(SHAPE, features, network, network, of_features, StandardPrior, BernoulliLikelihood)
    return M1M2(
        vae, dims, CLASSES, SMALL, SMALL, posterior, StandardPrior, GAUSSIAN, units
    ).double()


def images(count: int = 4) -> Batch:
    generator = torch.Generator().manual_seed(1)
    x = (torch.rand(count, *SHAPE, generator=generator) > 0.5).double()
    return Batch(x, x, torch.arange(count) % (CLASSES + 1) - 1, torch.arange(count))


@FIRST
@SECOND
@pytest.mark.parametrize("samples", [1, 3])
def test_terms_are_m2s_of_drawn_features(
    first: str, posterior: type[Posterior], samples: int
) -> None:
    model, batch = build(first, posterior), images()
    torch.manual_seed(0)
    found = model.class_terms(batch, samples, True)
    torch.manual_seed(0)
    v, log_q = sample_with_log_prob(model.features.encode(batch), (samples,))
    above = model.features.decode(v).log_prob(batch.x) - log_q
    as_vectors = v.reshape(-1, model.features.latent_dim)
    unlabelled = torch.full((len(as_vectors),), -1)
    whole = Batch(as_vectors, as_vectors, unlabelled, unlabelled)
    expected = model.m2.class_terms(whole, 1, True)
    shape = (samples, len(batch.x), CLASSES)
    assert found.log_likelihood.shape == found.kl.shape == found.log_label.shape == shape
    likelihood = expected.log_likelihood.view(shape) + above.unsqueeze(-1)
    torch.testing.assert_close(found.log_likelihood, likelihood)
    torch.testing.assert_close(found.kl, expected.kl.view(shape))
    torch.testing.assert_close(found.log_label, expected.log_label.view(shape))


@FIRST
@SECOND
def test_draws_of_the_label_have_the_mean_of_the_sum(
    first: str, posterior: type[Posterior]
) -> None:
    model, batch = build(first, posterior), images()
    torch.manual_seed(0)
    summed = model.class_terms(batch, 4000, False).unlabelled_bound()
    drawn = model.terms(batch, 4000, False).bound()
    error = ((summed.var(0) + drawn.var(0)) / 4000).sqrt()
    assert ((summed.mean(0) - drawn.mean(0)).abs() < 4 * error).all()


@pytest.mark.parametrize(("features", "units"), [(1, None), (2, [1])], ids=["all", "one of two"])
def test_bound_and_importance_sampling_against_quadrature(
    features: int, units: list[int] | None
) -> None:
    model, batch = build(dims=1, features=features, units=units), images(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(0.7)  # so that weights have light tails
    exact = _evidence(model, batch.x)
    torch.manual_seed(0)
    with torch.no_grad():
        bound = model.class_terms(batch, 20_000, True).unlabelled_bound()
        error = bound.std(0) / math.sqrt(len(bound))
        assert (bound.mean(0) < exact + 3 * error).all()
        estimate = evidence_estimate(model, batch, model.encode(batch), 40_000)
    variance = 1 / estimate.effective_sample_size - 1 / 40_000
    assert ((estimate.log_likelihood - exact).abs() < 4 * variance.sqrt() + variance).all()


def _evidence(model: M1M2, x: Tensor) -> Tensor:
    """log p(x) = log ∫∫ Σ_y p(x|v) p(v|y,z) p(z) p(y) dz dv, all on a grid, ``(B,)``.

    Of two features the first one is N(0, 1), whatever z and y are.
    """
    points = 181
    grid = torch.linspace(-9, 9, points, dtype=torch.float64)
    log_step = math.log(18 / (points - 1))
    z = v = grid.unsqueeze(-1)
    log_prior = model.m2.latent_prior().log_prob(z) - math.log(CLASSES) + log_step
    log_v = []
    for y in range(CLASSES):
        p = model.m2.decode(z, torch.full((len(z),), y))
        log_v.append(torch.logsumexp(p.log_prob(v[:, None]) + log_prior, 1))
    above = torch.logsumexp(torch.stack(log_v), 0) + log_step
    codes = z
    if model.features.latent_dim == 2:
        standard = -0.5 * grid.square() - 0.5 * math.log(2 * math.pi) + log_step
        codes = torch.cartesian_prod(grid, grid)
        above = (standard.unsqueeze(-1) + above).flatten()
    joint = model.features.decode(codes).log_prob(x[:, None]) + above
    return torch.logsumexp(joint, 1)


def test_features_that_are_left_out_tell_nothing_of_the_label() -> None:
    model, batch = build(features=5, units=[3, 0]), images()
    v = torch.randn(4, 5, dtype=torch.float64)
    given = model._of_features(batch, v)
    torch.testing.assert_close(given.x, v[:, [3, 0]])
    z, y = torch.randn(4, 2, dtype=torch.float64), torch.tensor([0, 1, 2, 0])
    inner = model.m2.decode(z, y).mean
    zero = torch.zeros(4, dtype=torch.float64)
    v = torch.stack([inner[:, 1], zero, zero, inner[:, 0], zero], 1)
    torch.testing.assert_close(model.decode(z, y).mean, model.features.decode(v).mean)


def test_the_first_stage_stays_as_it_is() -> None:
    model, batch = build(), images()
    terms = model.class_terms(batch, 1, True)
    (-terms.unlabelled_bound().mean()).backward()
    assert all(p.grad is None and not p.requires_grad for p in model.features.parameters())
    used = [p for p in model.m2.parameters() if p.grad is not None and p.grad.abs().sum() > 0]
    assert len(used) == len([*model.m2.parameters()])


def test_a_label_can_be_given_or_stand_behind_z() -> None:
    model = build()
    z = torch.randn(5, 2, dtype=torch.float64)
    y = torch.tensor([0, 1, 2, 0, 1])
    one_hot = torch.nn.functional.one_hot(y, CLASSES).double()
    given, behind = model.decode(z, y).mean, model.decode(torch.cat([z, one_hot], -1)).mean
    assert given.shape == (5, *SHAPE)
    torch.testing.assert_close(given, behind)


@pytest.mark.parametrize("units", [[], [0, 0], [5], [-1]], ids=str)
def test_units_that_are_none_are_refused(units: list[int]) -> None:
    with pytest.raises(InvalidOption, match="one or more different numbers from 0 to 4"):
        build(features=5, units=units)


def test_features_with_labels_are_refused() -> None:
    m2 = M2(SHAPE, 2, CLASSES, SMALL, SMALL, DiagonalPosterior, StandardPrior, BernoulliLikelihood)
    with pytest.raises(InvalidOption, match="features=M2: its features must come from a model"):
        M1M2(m2, 2, CLASSES, SMALL, SMALL, DiagonalPosterior, StandardPrior, GAUSSIAN)


@FIRST
@SECOND
def test_codes_and_labels_are_functions_of_the_image(
    first: str, posterior: type[Posterior]
) -> None:
    """Whatever state the default generator is in, and whatever the batch is."""
    model, batch = build(first, posterior, features=3), images(6)

    def found(part: Batch) -> list[Tensor]:
        return [code_of(model, part), model.classify(part)]

    whole = found(batch)
    torch.manual_seed(123)
    alone = [found(Batch(*(t[i : i + 1] for t in batch))) for i in range(6)]
    for together, each in zip(whole, zip(*alone, strict=True), strict=True):
        torch.testing.assert_close(torch.cat(each), together)


def test_error_is_the_share_of_the_confusion_off_its_diagonal() -> None:
    model, batch = build("planar", features=3).eval(), images(200)
    metrics = {"classification": Classification(), "confusion": Confusion()}
    results = []
    for seed in (0, 123):
        torch.manual_seed(seed)
        evaluation = Evaluation(metrics, seed=0, split="test")
        evaluation.add(model, 0, batch)
        results.append(evaluation.results([evaluation.state]))
    assert results[0] == results[1]
    counts = [[results[0][f"confusion/{y}_as_{k}"] for k in range(CLASSES)] for y in range(CLASSES)]
    right = sum(counts[y][y] for y in range(CLASSES))
    labelled = results[0]["labelled_images"]
    assert results[0]["error"] == pytest.approx(1 - right / labelled)
    assert 0 < right < labelled
