import pytest
import torch
from torch.distributions import Distribution, Independent, MultivariateNormal, Normal
from transforms import TRANSFORMS, Case, points

from vae_cli.distribution.flow import FlowDistribution
from vae_cli.distribution.normal import DiagonalNormal, StandardNormal
from vae_cli.distribution.relations import (
    MEAN_DRAWS,
    closed_form_kl,
    kl_per_dimension,
    mean,
    rsample_with_log_prob,
)

B, D, S = 3, 4, 20_000
LOC, SCALE = points(D, 1, (B,)), 0.3 + points(D, 2, (B,)).abs()
Q, P = DiagonalNormal(LOC, SCALE.log()), StandardNormal(torch.zeros(D).double())
OF_TORCH = [Independent(Normal(loc, scale), 1) for loc, scale in ((LOC, SCALE), (0 * LOC[0], 1))]
GAUSSIANS = pytest.mark.parametrize(("q", "p"), [(Q, P), OF_TORCH], ids=["ours", "torch's"])
CASES = pytest.mark.parametrize("case", TRANSFORMS, ids=lambda case: case.name)


def flow(case: Case) -> FlowDistribution:
    return FlowDistribution(Q, [case.build(*case.parameters(D, 2, (B,)))])


@GAUSSIANS
def test_kl_against_its_formula(q: Distribution, p: Distribution) -> None:
    each = (LOC**2 + SCALE**2 - 1) / 2 - SCALE.log()
    torch.testing.assert_close(kl_per_dimension(q, p), each)
    torch.testing.assert_close(closed_form_kl(q, p), each.sum(-1))


@GAUSSIANS
def test_kl_against_monte_carlo(q: Distribution, p: Distribution) -> None:
    torch.manual_seed(0)
    z, log_q = rsample_with_log_prob(q, (S,))
    difference = log_q - p.log_prob(z)
    error = difference.std(0) / S**0.5
    assert ((difference.mean(0) - closed_form_kl(q, p)).abs() < 4 * error).all()
    assert (error < 0.02 * closed_form_kl(q, p)).all()


@CASES
def test_flows_have_no_closed_forms(case: Case) -> None:
    assert closed_form_kl(flow(case), P) is None
    assert kl_per_dimension(flow(case), P) is None


def test_a_full_covariance_has_no_kl_per_dimension() -> None:
    full = MultivariateNormal(LOC, torch.diag_embed(SCALE**2))
    assert kl_per_dimension(full, P) is None


@GAUSSIANS
def test_mean_of_a_gaussian_is_exact(q: Distribution, p: Distribution) -> None:
    torch.testing.assert_close(mean(q), LOC, rtol=0, atol=0)


@CASES
def test_mean_of_a_flow_is_that_of_its_draws(case: Case) -> None:
    torch.manual_seed(0)
    estimate = mean(flow(case))
    draws = flow(case).sample((S,))
    error = draws.std(0) * (1 / MEAN_DRAWS + 1 / S) ** 0.5
    assert ((estimate - draws.mean(0)).abs() < 5 * error).all()


@CASES
def test_gradients_flow_through_the_mean_of_a_flow(case: Case) -> None:
    q = flow(case)
    q.base.loc.requires_grad_()
    mean(q).sum().backward()
    assert q.base.loc.grad is not None and q.base.loc.grad.abs().sum() > 0


@GAUSSIANS
def test_draws_with_their_density(q: Distribution, p: Distribution) -> None:
    torch.manual_seed(0)
    z, log_q = rsample_with_log_prob(q, (S,))
    torch.testing.assert_close(log_q, q.log_prob(z))
    assert ((z.mean(0) - LOC).abs() < 5 * SCALE / S**0.5).all()
    assert rsample_with_log_prob(q)[0].shape == (B, D)
