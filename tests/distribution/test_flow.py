import pytest
import torch
from torch import Tensor
from transforms import TRANSFORMS, Case, points

from vae_cli.distribution.flow import FlowDistribution
from vae_cli.distribution.normal import DiagonalNormal

CASES = pytest.mark.parametrize("case", TRANSFORMS, ids=lambda case: case.name)


def base(batch: int, dim: int) -> DiagonalNormal:
    loc = points(dim, 7, (batch,))
    return DiagonalNormal(loc, (0.5 + loc.abs()).log())


def flow(case: Case, length: int, batch: int = 4, dim: int = 3) -> FlowDistribution:
    maps = [case.build(*case.parameters(dim, seed, (batch,))) for seed in range(length)]
    return FlowDistribution(base(batch, dim), maps)


@CASES
def test_order_of_the_maps(case: Case) -> None:
    q = flow(case, 3)
    torch.manual_seed(0)
    z = q.base.rsample((5,))
    for transform in q.transforms:
        z = transform(z)
    torch.manual_seed(0)
    torch.testing.assert_close(q.rsample((5,)), z, rtol=0, atol=0)


@CASES
def test_density_is_by_the_change_of_variables(case: Case) -> None:
    q = flow(case, 3, batch=1)
    z0 = points(3, 0, (1,))

    def push(z: Tensor) -> Tensor:
        for transform in q.transforms:
            z = transform(z)
        return z

    jacobian = torch.autograd.functional.jacobian(push, z0).squeeze()
    expected = q.base.log_prob(z0) - torch.linalg.slogdet(jacobian).logabsdet
    torch.testing.assert_close(q.log_prob(push(z0)), expected, rtol=1e-9, atol=1e-9)


def test_no_maps_leave_the_base() -> None:
    q = FlowDistribution(base(4, 3), [])
    z, log_prob = q.sample_with_log_prob((5,))
    torch.testing.assert_close(log_prob, q.base.log_prob(z))
    torch.testing.assert_close(q.log_prob(z), q.base.log_prob(z))


@CASES
@pytest.mark.parametrize("sample_shape", [(), (5,), (2, 3)])
def test_shapes(case: Case, sample_shape: tuple[int, ...]) -> None:
    q = flow(case, 2)
    assert (q.batch_shape, q.event_shape) == ((4,), (3,))
    z, log_prob = q.sample_with_log_prob(sample_shape)
    assert z.shape == q.rsample(sample_shape).shape == (*sample_shape, 4, 3)
    assert log_prob.shape == q.log_prob(z).shape == (*sample_shape, 4)


@CASES
def test_density_of_draws(case: Case) -> None:
    torch.manual_seed(0)
    q = flow(case, 2)
    z, log_prob = q.sample_with_log_prob((5,))
    torch.testing.assert_close(q.log_prob(z), log_prob, rtol=1e-8, atol=1e-8)
