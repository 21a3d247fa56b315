"""Probabilistic PCA and factor analysis against the Gaussian that they are."""

from functools import partial

import numpy as np
import pytest
import torch
from exact import MIN_SCALE, MODELS, SHAPE, build, images, marginal
from sklearn.decomposition import PCA
from torch import Size
from torch.distributions import MultivariateNormal, kl_divergence

from vae_cli.data.batch import Batch
from vae_cli.distribution.relations import closed_form_kl, kl_per_dimension
from vae_cli.errors import InvalidOption
from vae_cli.likelihood.bernoulli import BernoulliLikelihood
from vae_cli.likelihood.gaussian import GaussianLikelihood
from vae_cli.model.evidence import exact_log_likelihood
from vae_cli.model.linear_gaussian import LinearGaussian
from vae_cli.model.vae import VAE
from vae_cli.network.mlp import MLP
from vae_cli.posterior.diagonal import DiagonalPosterior
from vae_cli.posterior.exact import ExactPosterior
from vae_cli.posterior.planar import PlanarPosterior
from vae_cli.prior.standard import StandardPrior

BATCH = images(9)
FLAT = BATCH.x.flatten(1)
ROWS = pytest.mark.parametrize("name", MODELS)
# One, some, and more of them than an image has values.
SIZES = pytest.mark.parametrize("latent_dim", [1, 3, 8])
APPROXIMATE = {
    "diagonal": DiagonalPosterior,
    "planar": partial(PlanarPosterior, flow_length=2),
}


@ROWS
@SIZES
def test_evidence_is_the_density_of_a_gaussian(name: str, latent_dim: int) -> None:
    model = build(name, latent_dim)
    found = exact_log_likelihood(model, BATCH)
    torch.testing.assert_close(found, marginal(model).log_prob(FLAT), rtol=0, atol=1e-9)


@ROWS
@SIZES
def test_posterior_is_the_joint_conditioned_on_x(name: str, latent_dim: int) -> None:
    model = build(name, latent_dim)
    p, weight = marginal(model), model.decoder.weight
    gain = torch.linalg.solve(p.covariance_matrix, weight).T  # Cov(z, x) Cov(x)^-1
    q = model.encode(BATCH)
    assert (q.batch_shape, q.event_shape) == ((9,), (latent_dim,))
    torch.testing.assert_close(q.mean, (FLAT - p.mean) @ gain.T)
    covariance = torch.eye(latent_dim).double() - gain @ weight
    torch.testing.assert_close(q.covariance_matrix, covariance.expand(9, -1, -1))


@ROWS
@SIZES
@pytest.mark.parametrize("closed_form_kl", [True, False])
def test_every_draw_weighs_log_p(name: str, latent_dim: int, closed_form_kl: bool) -> None:
    torch.manual_seed(0)
    model = build(name, latent_dim)
    terms = model.terms(BATCH, 5, closed_form_kl)
    assert all(term.shape == (5, 9) for term in terms)
    expected = marginal(model).log_prob(FLAT).expand(5, -1)
    torch.testing.assert_close(terms.log_weight, expected, rtol=0, atol=1e-9)
    # Nor does the formula of the KL bring noise into the bound: none is known of this pair.
    torch.testing.assert_close(terms.bound(), expected, rtol=0, atol=1e-9)


@ROWS
@SIZES
def test_gradient_is_that_of_log_p(name: str, latent_dim: int) -> None:
    torch.manual_seed(0)
    model = build(name, latent_dim)
    parameters = list(model.parameters())
    bound = model.terms(BATCH, 1, closed_form_kl=True).bound().mean()
    expected = marginal(model).log_prob(FLAT).mean()
    torch.testing.assert_close(
        torch.autograd.grad(bound, parameters),
        torch.autograd.grad(expected, parameters),
        rtol=1e-8,
        atol=1e-8,
    )


@ROWS
def test_evidence_does_not_depend_on_the_axes_of_z(name: str) -> None:
    model = build(name, latent_dim=3)
    before = exact_log_likelihood(model, BATCH)
    rotation = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64)).Q
    with torch.no_grad():
        model.decoder.weight.copy_(model.decoder.weight @ rotation)
    torch.testing.assert_close(exact_log_likelihood(model, BATCH), before)


def test_posterior_has_no_parts() -> None:
    model = build(latent_dim=3)
    q, p = model.encode(BATCH), model.prior()
    assert closed_form_kl(q, p) is None
    assert kl_per_dimension(q, p) is None


@ROWS
@pytest.mark.parametrize("is_mixed", [True, False])
def test_float32_is_kept_under_autocast(name: str, is_mixed: bool) -> None:
    torch.manual_seed(0)
    model = build(name, latent_dim=3)
    expected = marginal(model).log_prob(FLAT).float().expand(4, -1)
    model = model.float()
    batch = Batch(BATCH.x.float(), BATCH.x.float(), BATCH.y, BATCH.index)
    with torch.autocast("cpu", torch.bfloat16, enabled=is_mixed):
        terms = model.terms(batch, 4, closed_form_kl=True)
        evidence = exact_log_likelihood(model, batch)
    assert {term.dtype for term in [*terms, evidence]} == {torch.float32}
    torch.testing.assert_close(terms.log_weight, expected, rtol=0, atol=2e-4)
    torch.testing.assert_close(evidence, expected[0], rtol=0, atol=2e-4)


@pytest.mark.parametrize("posterior", APPROXIMATE)
def test_an_approximate_posterior_loses_its_divergence(posterior: str) -> None:
    torch.manual_seed(0)
    model = build("factor analysis", 3, APPROXIMATE[posterior])
    samples = 20_000
    with torch.no_grad():
        evidence = exact_log_likelihood(model, BATCH)
        log_weight = model.terms(BATCH, samples, closed_form_kl=False).log_weight
        q, p = model.encode(BATCH), model.exact_posterior(BATCH.x)
    torch.testing.assert_close(evidence, marginal(model).log_prob(FLAT))
    error = log_weight.std(0) / samples**0.5
    assert (log_weight.mean(0) < evidence).all()
    if posterior == "diagonal":
        full = MultivariateNormal(q.mean, q.variance.diag_embed())
        expected = evidence - kl_divergence(full, p)
        assert ((log_weight.mean(0) - expected).abs() < 4 * error).all()


def principal(x: np.ndarray, latent_dim: int, spare: int) -> LinearGaussian:
    """The maximum of the likelihood (Tipping & Bishop 1999, equations 7 and 8).

    Args:
        x: Flat images.
        latent_dim: D.
        spare: What is subtracted from their number in the covariance.
    """
    data = torch.from_numpy(x)
    centered = data - data.mean(0)
    values, vectors = torch.linalg.eigh(centered.T @ centered / (len(x) - spare))
    size = x.shape[1]
    variance = values[: size - latent_dim].mean()
    weight = vectors[:, size - latent_dim :] * (values[size - latent_dim :] - variance).sqrt()
    model = build("ppca", latent_dim, shape=Size([1, 1, size]))
    with torch.no_grad():
        model.decoder.weight.copy_(weight)
        model.decoder.bias.copy_(data.mean(0))
        model.log_scale.copy_((variance.sqrt() - MIN_SCALE).log())
    return model


def data(count: int = 300, size: int = 12) -> tuple[np.ndarray, Batch]:
    generator = np.random.default_rng(0)
    x = generator.standard_normal((count, size)) @ generator.standard_normal((size, size))
    x += generator.standard_normal((count, size))  # no variance is below MIN_SCALE's
    flat = torch.from_numpy(x)
    return x, Batch(flat.view(count, 1, 1, size), flat, flat[:, 0], flat[:, 0])


@pytest.mark.parametrize("latent_dim", [1, 4, 11])
def test_score_is_scikit_learns(latent_dim: int) -> None:
    x, batch = data()
    pca = PCA(latent_dim, svd_solver="full").fit(x)
    # scikit-learn takes the unbiased covariance.
    found = exact_log_likelihood(principal(x, latent_dim, spare=1), batch)
    torch.testing.assert_close(found, torch.from_numpy(pca.score_samples(x)))


@pytest.mark.parametrize("latent_dim", [1, 4, 11])
def test_no_parameter_gains_at_the_maximum(latent_dim: int) -> None:
    x, batch = data()
    torch.manual_seed(0)
    model = principal(x, latent_dim, spare=0)
    bound = model.terms(batch, 1, closed_form_kl=True).bound().mean()
    for gradient in torch.autograd.grad(bound, list(model.parameters())):
        torch.testing.assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-9)
    with torch.no_grad():
        for _ in range(20):
            other = principal(x, latent_dim, spare=0)
            for parameter in other.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
            assert exact_log_likelihood(other, batch).mean() < bound


def test_a_posterior_in_hand_is_used() -> None:
    model = build(latent_dim=3)
    q = model.encode(BATCH)
    torch.manual_seed(0)
    expected = model.terms(BATCH, 2, closed_form_kl=False)
    torch.manual_seed(0)
    found = model.terms(BATCH, 2, closed_form_kl=False, q=q)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    other = MultivariateNormal(q.mean + 1, q.covariance_matrix)
    assert (model.terms(BATCH, 50, False, other).log_weight.mean(0) < expected.log_weight[0]).all()


def test_an_encoder_sees_the_input_and_the_exact_posterior_x() -> None:
    blank = BATCH._replace(input=0 * BATCH.x)
    exact, learned = build(latent_dim=3), build("ppca", 3, DiagonalPosterior)
    torch.testing.assert_close(exact.encode(blank).mean, exact.encode(BATCH).mean)
    assert len(learned.encode(blank).mean.unique(dim=0)) == 1


def test_others_have_no_formula() -> None:
    network = partial(MLP, hidden_dims=[])
    vae = VAE(
        SHAPE, 2, network, network, DiagonalPosterior, StandardPrior, GaussianLikelihood
    ).double()
    assert exact_log_likelihood(vae, BATCH) is None


def test_a_vae_needs_an_encoder() -> None:
    with pytest.raises(InvalidOption, match=r"^posterior=exact: .* Try posterior=diagonal"):
        VAE(SHAPE, 2, MLP, MLP, ExactPosterior(), StandardPrior, GaussianLikelihood)


@pytest.mark.parametrize(
    ("noise", "likelihood", "prior", "said"),
    [
        ("shared", BernoulliLikelihood, StandardPrior, r"^likelihood=Bern.* Try likelihood=gaus"),
        ("shared", GaussianLikelihood, DiagonalPosterior, r"^prior=.* Try prior=standard"),
        ("both", GaussianLikelihood, StandardPrior, r"^noise=both: needs one of shared, per_pixel"),
        (
            "per_pixel",
            partial(GaussianLikelihood, scale=0.1),
            StandardPrior,
            r"^likelihood.scale=0.1: ",
        ),
        (
            "per_pixel",
            partial(GaussianLikelihood, scale="shared"),
            StandardPrior,
            r"scale=learned, or",
        ),
    ],
)
def test_bad_options(noise: str, likelihood: object, prior: object, said: str) -> None:
    with pytest.raises(InvalidOption, match=said):
        LinearGaussian(SHAPE, 2, noise, likelihood, prior, ExactPosterior(), MLP)
