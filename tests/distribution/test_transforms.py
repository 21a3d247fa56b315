import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.autograd.functional import jacobian
from transforms import TRANSFORMS, Case, points

pytestmark = pytest.mark.parametrize("case", TRANSFORMS, ids=lambda case: case.name)
DIMS = pytest.mark.parametrize("dim", [1, 2, 3, 5])


@DIMS
@pytest.mark.parametrize("seed", range(8))
def test_log_determinant_is_that_of_the_jacobian(case: Case, dim: int, seed: int) -> None:
    transform = case.build(*case.parameters(dim, seed))
    for z in points(dim, seed, (5,)):
        sign, log_det = torch.linalg.slogdet(jacobian(transform, z))
        assert sign == 1
        assert abs(transform.transform(z)[1] - log_det) < 1e-10


@DIMS
@pytest.mark.parametrize("seed", range(8))
def test_inverse(case: Case, dim: int, seed: int) -> None:
    transform = case.build(*case.parameters(dim, seed, (50,)))
    z = points(dim, seed, (4, 50))
    torch.testing.assert_close(transform.inv(transform(z)), z, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(transform(transform.inv(z)), z, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_gradients(case: Case, dim: int, seed: int) -> None:
    z = points(dim, seed).requires_grad_()
    parameters = [p.requires_grad_() for p in case.parameters(dim, seed)]
    assert gradcheck(lambda z, *p: case.build(*p).transform(z), (z, *parameters), fast_mode=True)
    assert gradcheck(lambda z, *p: case.build(*p).inv(z), (z, *parameters), fast_mode=True)


@pytest.mark.parametrize("draws", [(), (2,)], ids=["one draw", "two draws an image"])
def test_gradients_of_gradients(case: Case, draws: tuple[int, ...]) -> None:
    """Both ways, against finite differences of the first gradients."""
    z = points(2, 1, (*draws, 2)).requires_grad_()
    parameters = [p.requires_grad_() for p in case.parameters(2, 1, (2,))]
    assert gradgradcheck(
        lambda z, *p: case.build(*p).transform(z), (z, *parameters), fast_mode=True
    )
    assert gradcheck(lambda z, *p: case.build(*p).inv(z), (z, *parameters), fast_mode=True)
    assert gradgradcheck(lambda z, *p: case.build(*p).inv(z), (z, *parameters), fast_mode=True)


@DIMS
def test_identity(case: Case, dim: int) -> None:
    transform = case.identity(*case.parameters(dim, 3, (50,)))
    z = points(dim, 0, (50,))
    y, log_det = transform.transform(z)
    torch.testing.assert_close(y, z, rtol=0, atol=1e-13)
    torch.testing.assert_close(log_det, torch.zeros_like(log_det), rtol=0, atol=1e-13)


@DIMS
def test_each_image_has_its_own_parameters(case: Case, dim: int) -> None:
    parameters = case.parameters(dim, 1, (6,))
    z = points(dim, 0, (3, 6))
    y, log_det = case.build(*parameters).transform(z)
    assert y.shape == (3, 6, dim)
    assert log_det.shape == (3, 6)
    for i in range(6):
        alone, alone_log_det = case.build(*(p[i] for p in parameters)).transform(z[:, i])
        torch.testing.assert_close(y[:, i], alone)
        torch.testing.assert_close(log_det[:, i], alone_log_det)


def test_interface_of_torch_distributions(case: Case) -> None:
    transform = case.build(*case.parameters(3, 1))
    z = points(3, 0, (7,))
    y, log_det = transform.transform(z)
    torch.testing.assert_close(transform(z), y)
    torch.testing.assert_close(transform.log_abs_det_jacobian(z, y), log_det)
    torch.testing.assert_close(transform.inv.log_abs_det_jacobian(y, z), -log_det)


@DIMS
@pytest.mark.parametrize("seed", range(8))
def test_float32_is_near_float64(case: Case, dim: int, seed: int) -> None:
    def both(dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        parameters = [p.to(dtype) for p in case.parameters(dim, seed, (50,))]
        return case.build(*parameters).transform(points(dim, seed, (50,)).to(dtype))

    for single, double in zip(both(torch.float32), both(torch.float64), strict=True):
        torch.testing.assert_close(single.double(), double, rtol=1e-4, atol=1e-4)
