"""The bound where log p(x) is known."""

import pytest
import torch
from linear_gaussian import LinearGaussian

from vae_cli.model.base import log_mean_weight

TRUTH = LinearGaussian()
BATCH = TRUTH.batch(40)
LOG_P = TRUTH.log_likelihood(BATCH.x)
WRONG = pytest.mark.parametrize(
    ("shift", "log_stretch"), [(0.2, 0.0), (0.0, 0.3), (0.0, -0.3), (-0.1, 0.2)]
)


def test_encoder_is_the_true_posterior() -> None:
    q = TRUTH.vae().encode(BATCH)
    torch.testing.assert_close(q.mean, TRUTH.posterior_mean(BATCH.x))
    torch.testing.assert_close(q.variance, TRUTH.posterior_variance.expand_as(q.variance))


@pytest.mark.parametrize("samples", [1, 30])
@pytest.mark.parametrize("closed_form_kl", [True, False])
def test_every_draw_weighs_log_p(samples: int, closed_form_kl: bool) -> None:
    torch.manual_seed(0)
    terms = TRUTH.vae().terms(BATCH, samples, closed_form_kl)
    assert all(term.shape == (samples, 40) for term in terms)
    torch.testing.assert_close(terms.log_weight, LOG_P.expand(samples, -1), rtol=0, atol=1e-9)
    torch.testing.assert_close(log_mean_weight(terms.log_weight), LOG_P, rtol=0, atol=1e-9)


def test_bound_by_monte_carlo_is_exact_too() -> None:
    torch.manual_seed(0)
    terms = TRUTH.vae().terms(BATCH, 3, closed_form_kl=False)
    torch.testing.assert_close(terms.bound(), LOG_P.expand(3, -1), rtol=0, atol=1e-9)


def test_bound_with_closed_form_kl_is_log_p_on_average() -> None:
    torch.manual_seed(0)
    samples = 5000
    terms = TRUTH.vae().terms(BATCH, samples, closed_form_kl=True)
    error = terms.log_likelihood.std(0) / samples**0.5
    assert ((terms.bound().mean(0) - LOG_P).abs() < 4 * error).all()
    assert error.max() < 0.1


@WRONG
@pytest.mark.parametrize("closed_form_kl", [True, False])
def test_bound_lacks_the_kl_to_the_true_posterior(
    shift: float, log_stretch: float, closed_form_kl: bool
) -> None:
    torch.manual_seed(0)
    samples, gap = 5000, TRUTH.gap(shift, log_stretch)
    terms = TRUTH.vae(shift, log_stretch).terms(BATCH, samples, closed_form_kl)
    bound, error = terms.bound().mean(0), terms.bound().std(0) / samples**0.5
    assert ((LOG_P - gap - bound).abs() < 4 * error).all()
    assert gap > 0.5 * error.max()
    assert (bound < LOG_P).float().mean() > 0.95


@WRONG
def test_importance_sampling_meets_log_p(shift: float, log_stretch: float) -> None:
    torch.manual_seed(0)
    log_weight = TRUTH.vae(shift, log_stretch).terms(BATCH, 5000, closed_form_kl=False).log_weight
    ratio = (log_weight - LOG_P).exp()  # its mean is 1
    error = ratio.std(0) / 5000**0.5
    estimate = log_mean_weight(log_weight)
    assert ((estimate - LOG_P).abs() < 4 * error + 1e-3).all()
    # Larger groups of draws, tighter bounds: on average over the groups.
    bounds = [
        log_mean_weight(log_weight.unflatten(0, (size, -1))).mean().item()
        for size in (1, 2, 5, 50, 500)
    ]
    assert bounds == sorted(bounds)
    assert bounds[0] == pytest.approx(LOG_P.mean().item() - TRUTH.gap(shift, log_stretch), abs=0.02)
    assert bounds[-1] == pytest.approx(LOG_P.mean().item(), abs=0.02)


def test_tempered_bound_at_weight_one_is_the_bound() -> None:
    torch.manual_seed(0)
    terms = TRUTH.vae(0.2, 0.3).terms(BATCH, 4, closed_form_kl=False)
    torch.testing.assert_close(terms.tempered_bound(1.0), terms.bound(1.0), rtol=1e-12, atol=1e-12)
    joint = terms.log_likelihood + terms.log_prior
    expected = 0.3 * joint - terms.log_posterior
    torch.testing.assert_close(terms.tempered_bound(0.3), expected)
    expected = terms.log_likelihood - 0.3 * (terms.log_posterior - terms.log_prior)
    torch.testing.assert_close(terms.bound(0.3), expected)


def test_loss_is_least_at_the_true_posterior() -> None:
    torch.manual_seed(0)
    vae = TRUTH.vae()
    loss = -vae.terms(TRUTH.batch(2000), 20, closed_form_kl=True).bound().mean()
    gradients = torch.autograd.grad(loss, list(vae.encoder.parameters()))
    wrong = TRUTH.vae(0.2, 0.3)
    loss = -wrong.terms(TRUTH.batch(2000), 20, closed_form_kl=True).bound().mean()
    steep = torch.autograd.grad(loss, list(wrong.encoder.parameters()))
    assert all(a.norm() < 0.1 * b.norm() for a, b in zip(gradients, steep, strict=True))
