import pytest
import torch
from posteriors import FLOWS, POSTERIORS, features
from torch.autograd import gradcheck
from torch.nn.functional import softplus

from vae_cli.distribution.relations import from_noise, mean, sample_with_log_prob
from vae_cli.errors import InvalidOption
from vae_cli.posterior.diagonal import DiagonalPosterior
from vae_cli.posterior.planar import NEAR_IDENTITY

ROWS = pytest.mark.parametrize("name", POSTERIORS)
DIMS = pytest.mark.parametrize("latent_dim", [1, 2, 7])


@ROWS
@DIMS
def test_shapes(name: str, latent_dim: int) -> None:
    make, parameter_count = POSTERIORS[name]
    posterior = make(latent_dim=latent_dim)
    assert posterior.parameter_count == parameter_count(latent_dim)
    assert not list(posterior.parameters())
    for batch, sample_shape in ((1, ()), (5, (1,)), (5, (2, 3))):
        q = posterior(features(posterior, batch))
        assert (q.batch_shape, q.event_shape) == ((batch,), (latent_dim,))
        assert q.has_rsample
        z, log_q = sample_with_log_prob(q, sample_shape)
        assert z.shape == q.rsample(sample_shape).shape == (*sample_shape, batch, latent_dim)
        assert log_q.shape == q.log_prob(z).shape == (*sample_shape, batch)
        assert mean(q).shape == (batch, latent_dim)


@ROWS
@DIMS
def test_log_prob_of_draws(name: str, latent_dim: int) -> None:
    posterior = POSTERIORS[name][0](latent_dim=latent_dim)
    for spread in (0.1, 1.0, 1.5):
        torch.manual_seed(0)
        q = posterior(features(posterior, 40, spread))
        z, log_q = sample_with_log_prob(q, (20,))
        torch.testing.assert_close(q.log_prob(z), log_q, rtol=1e-8, atol=1e-8)


@ROWS
def test_draws_from_given_noise(name: str) -> None:
    posterior = POSTERIORS[name][0](latent_dim=3)
    q = posterior(features(posterior, 40))
    torch.manual_seed(0)
    z, log_q = from_noise(q, torch.randn(3, 40, 3, dtype=torch.float64))
    torch.manual_seed(0)
    assert torch.equal(z, q.rsample((3,)))
    torch.testing.assert_close(q.log_prob(z), log_q, rtol=1e-8, atol=1e-8)


@ROWS
@pytest.mark.parametrize("latent_dim", [1, 3])
def test_gradients_of_log_prob(name: str, latent_dim: int) -> None:
    posterior = POSTERIORS[name][0](latent_dim=latent_dim)
    torch.manual_seed(0)
    z = torch.randn(2, latent_dim, dtype=torch.float64, requires_grad=True)
    inputs = features(posterior, 2).requires_grad_()
    assert gradcheck(lambda f, z: posterior(f).log_prob(z), (inputs, z))


@ROWS
def test_gradients_of_draws(name: str) -> None:
    posterior = POSTERIORS[name][0](latent_dim=2)
    inputs = features(posterior, 2).requires_grad_()

    def draw(f: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        torch.manual_seed(0)
        return sample_with_log_prob(posterior(f), (2,))

    assert gradcheck(draw, (inputs,))


@ROWS
def test_images_of_a_batch_do_not_mix(name: str) -> None:
    posterior = POSTERIORS[name][0](latent_dim=3)
    both = features(posterior, 2)
    z = torch.randn(4, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    together = posterior(both).log_prob(z)
    for i in range(2):
        alone = posterior(both[i : i + 1]).log_prob(z[:, i : i + 1])
        torch.testing.assert_close(together[:, i : i + 1], alone, rtol=1e-12, atol=1e-12)


@ROWS
@DIMS
def test_large_features_are_finite_in_float32(name: str, latent_dim: int) -> None:
    posterior = POSTERIORS[name][0](latent_dim=latent_dim)
    for spread in (3.0, 10.0, 30.0):
        inputs = features(posterior, 200, spread)
        base = inputs[:, : 2 * latent_dim].clamp(-8, 8)  # no encoder means a scale of e^100
        inputs = torch.cat([base, inputs[:, 2 * latent_dim :]], -1).float().requires_grad_()
        torch.manual_seed(0)
        q = posterior(inputs)
        z, log_q = sample_with_log_prob(q, (10,))
        (gradient,) = torch.autograd.grad((z.sum(-1) + log_q).sum(), inputs)
        for number in (z, log_q, q.log_prob(z), gradient):
            assert torch.isfinite(number).all()


def test_diagonal_reads_means_then_log_scales() -> None:
    f = torch.tensor([[1.0, 2.0, -0.5, 0.3]])
    q = POSTERIORS["diagonal"][0](latent_dim=2)(f)
    torch.testing.assert_close(q.mean, f[:, :2])
    torch.testing.assert_close(q.stddev, f[:, 2:].exp())


def test_diagonal_variance_through_a_softplus_within_bounds() -> None:
    a = torch.tensor([-200.0, -30.0, -2.0, 0.0, 3.0, 200.0], dtype=torch.float64)
    f = torch.cat([torch.zeros_like(a), a]).unsqueeze(0)
    free = DiagonalPosterior(latent_dim=6, variance="softplus")(f)
    torch.testing.assert_close(free.variance[0], softplus(a), rtol=1e-12, atol=0)
    bounded = POSTERIORS["diagonal softplus"][0](latent_dim=6)(f)
    torch.testing.assert_close(bounded.variance[0], softplus(a).clamp(1e-4, 5), rtol=1e-12, atol=0)
    narrow = DiagonalPosterior(latent_dim=6, variance_range=[0.25, 4.0])(f)
    torch.testing.assert_close(narrow.stddev[0], a.exp().clamp(0.5, 2), rtol=1e-12, atol=0)


@pytest.mark.parametrize("bounds", [[3.0, 1.0], [2.0, 2.0], [1.0], [0.1, 1.0, 2.0]])
def test_bounds_of_the_variance_are_two_in_order(bounds: list[float]) -> None:
    with pytest.raises(InvalidOption, match=r"variance_range=.*two numbers, the smaller one first"):
        DiagonalPosterior(latent_dim=2, variance_range=bounds)


def test_planar_reads_w_u_b_of_each_map() -> None:
    posterior = POSTERIORS["planar 4"][0](latent_dim=2)
    f = features(posterior, 3)
    q = posterior(f)
    torch.testing.assert_close(q.base.mean, f[:, :2])
    (flow,) = q.transforms
    for k in range(4):
        own = NEAR_IDENTITY * f[:, 4 + 5 * k : 9 + 5 * k]
        w, u = own[:, :2], own[:, 2:4]
        torch.testing.assert_close(flow.w[:, k], w)
        torch.testing.assert_close(flow.b[:, k], own[:, 4])
        across = torch.stack([-w[:, 1], w[:, 0]], -1)  # u_hat differs from u along w alone
        moved = (flow.u_hat[:, k] * across).sum(-1)
        torch.testing.assert_close(moved, (u * across).sum(-1))


def test_radial_reads_center_alpha_s_of_each_map() -> None:
    posterior = POSTERIORS["radial 4"][0](latent_dim=2)
    f = features(posterior, 3)
    for k, transform in enumerate(posterior(f).transforms):
        own = f[:, 4 + 4 * k : 8 + 4 * k]
        torch.testing.assert_close(transform.center, own[:, :2])
        torch.testing.assert_close(transform.alpha, softplus(own[:, 2]))
        torch.testing.assert_close(transform.s, softplus(own[:, 3]))


@pytest.mark.parametrize("name", FLOWS)
def test_flow_features_of_zero_leave_the_base(name: str) -> None:
    posterior = POSTERIORS[name][0](latent_dim=3)
    f = torch.zeros(2, posterior.parameter_count, dtype=torch.float64)
    f[:, :6] = features(posterior, 2)[:, :6]
    z = torch.randn(5, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    q = posterior(f)
    torch.testing.assert_close(q.log_prob(z), q.base.log_prob(z), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("flow_length", [0, -1, 1.5])
def test_a_flow_has_at_least_one_map(name: str, flow_length: float) -> None:
    with pytest.raises(InvalidOption, match=f"flow_length={flow_length}: .*diagonal for none"):
        POSTERIORS[name][0].func(latent_dim=2, flow_length=flow_length)
