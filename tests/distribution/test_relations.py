import pytest
import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, MultivariateNormal, Normal
from transforms import TRANSFORMS, Case, points

from vae_cli.distribution.flow import FlowDistribution
from vae_cli.distribution.normal import DiagonalNormal, StandardNormal
from vae_cli.distribution.relations import (
    MEAN_DRAWS,
    closed_form_kl,
    kl_per_dimension,
    mean,
    mean_and_variance,
    pair_means,
    sample_with_log_prob,
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
    z, log_q = sample_with_log_prob(q, (S,))
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
    draws = flow(case).sample((S,)).mean(0)
    estimates = pair_means(flow(case), S, is_fixed=False)
    error = (estimates.var(0) / S + flow(case).sample((S,)).var(0) / S).sqrt()
    assert ((estimates.mean(0) - draws).abs() < 5 * error).all()


@CASES
def test_error_of_the_mean_of_a_flow_is_as_stated(case: Case) -> None:
    exact = pair_means(flow(case), S, is_fixed=False).mean(0)
    torch.manual_seed(0)
    found = [mean_and_variance(flow(case), MEAN_DRAWS, is_fixed=False) for _ in range(400)]
    means, variances = (torch.stack(each) for each in zip(*found, strict=True))
    error = (means - exact).square().mean(0)
    torch.testing.assert_close(variances.mean(0), error, rtol=0.3, atol=1e-5)


@CASES
def test_mean_of_a_flow_near_the_identity_is_that_of_its_base(case: Case) -> None:
    """Its error is of second order in the map's bend: independent draws have the base's own."""
    nearly = [0.03 * p for p in case.parameters(D, 1, (B,))]
    q = FlowDistribution(Q, [case.build(*nearly)])
    torch.manual_seed(0)
    exact = pair_means(q, 200_000, is_fixed=False).mean(0)
    assert ((mean(q) - exact).abs() < 1e-3).all()
    q = FlowDistribution(Q, [case.identity(*case.parameters(D, 2, (B,)))])
    torch.testing.assert_close(mean(q), LOC, rtol=0, atol=1e-12)


@CASES
def test_mean_is_a_function_of_the_distribution(case: Case) -> None:
    whole = mean(flow(case))
    torch.manual_seed(123)
    torch.testing.assert_close(mean(flow(case)), whole, rtol=0, atol=0)
    parts = [p[1:2] for p in case.parameters(D, 2, (B,))]
    alone = FlowDistribution(DiagonalNormal(LOC[1:2], SCALE[1:2].log()), [case.build(*parts)])
    torch.testing.assert_close(mean(alone), whole[1:2])


def test_a_distribution_without_a_map_of_noise_has_a_mean_by_draws() -> None:
    class NoFormula(DiagonalNormal):
        @property
        def mean(self) -> Tensor:
            raise NotImplementedError

    torch.manual_seed(0)
    found, variance = mean_and_variance(NoFormula(LOC, SCALE.log()), 2 * S)
    assert ((found - LOC).abs() < 5 * variance.sqrt()).all()
    torch.testing.assert_close(variance, SCALE**2 / (2 * S), rtol=0.1, atol=0)


@CASES
def test_gradients_flow_through_the_mean_of_a_flow(case: Case) -> None:
    q = flow(case)
    q.base.loc.requires_grad_()
    mean(q).sum().backward()
    assert q.base.loc.grad is not None and q.base.loc.grad.abs().sum() > 0


@GAUSSIANS
def test_draws_with_their_density(q: Distribution, p: Distribution) -> None:
    torch.manual_seed(0)
    z, log_q = sample_with_log_prob(q, (S,))
    torch.testing.assert_close(log_q, q.log_prob(z))
    assert ((z.mean(0) - LOC).abs() < 5 * SCALE / S**0.5).all()
    assert sample_with_log_prob(q)[0].shape == (B, D)
