"""What only the radial map promises: its formula, and that nothing can break it."""

import pytest
import torch
from torch import Tensor
from transforms import points

from vae_cli.distribution.radial import RadialTransform

FLOAT_TYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
EXTREMES = {  # alpha, s
    "strongest contraction": (1.0, 1e-8),
    "hardly invertible": (1.0, 1e-30),
    "strongest expansion": (1e-8, 1.0),
    "no core": (1e-30, 1.0),
    "both tiny": (1e-6, 1e-6),
    "both as good as 0": (1e-25, 1e-25),
    "huge s": (1.0, 1e8),
    "huge alpha": (1e8, 1.0),
    "both huge": (1e8, 1e8),
    "nothing left": (0.0, 0.0),
}
ROWS = pytest.mark.parametrize(("alpha", "s"), EXTREMES.values(), ids=EXTREMES)


def build(alpha: float, s: float, dtype: torch.dtype) -> tuple[RadialTransform, list[Tensor]]:
    numbers = ([0.3, -0.2, 0.1], alpha, s)
    parameters = [torch.tensor(number, dtype=dtype).requires_grad_() for number in numbers]
    return RadialTransform(*parameters), parameters


def radii(s: float) -> Tensor:
    """Distances from the centre, the centre itself first; those around s too."""
    spread = torch.logspace(-6, 3, 91, dtype=torch.float64)
    around = s * torch.tensor([0.999, 1.0, 1.001], dtype=torch.float64)
    return torch.cat([torch.zeros(1), spread, around[(s > 1e-6) * (around < 1e3)]]).unique()


def ray(center: Tensor, s: float) -> Tensor:
    """Points at these distances from a centre."""
    direction = torch.tensor([2.0, -1.0, 2.0], dtype=torch.float64) / 3
    return center.detach() + (radii(s).unsqueeze(-1) * direction).to(center.dtype)


def test_formula_of_the_paper() -> None:
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        center, free = torch.randn(2, 3, generator=generator, dtype=torch.float64)
        alpha, s = free[0].exp(), free[1].exp()
        beta = s - alpha
        transform = RadialTransform(center, alpha, s)
        for z in points(3, seed, (5,)):
            r = (z - center).norm()
            h = 1 / (alpha + r)
            slope = -1 / (alpha + r) ** 2
            determinant = (1 + beta * h) ** 2 * (1 + beta * h + beta * slope * r)
            y, log_det = transform.transform(z)
            torch.testing.assert_close(y, z + beta * h * (z - center))
            torch.testing.assert_close(log_det, determinant.log())


@FLOAT_TYPES
@ROWS
def test_extremes_are_finite(alpha: float, s: float, dtype: torch.dtype) -> None:
    transform, parameters = build(alpha, s, dtype)
    z = ray(parameters[0], s).requires_grad_()
    y, log_det = transform.transform(z)
    for number in (y, log_det, *torch.autograd.grad(y.sum() + log_det.sum(), [z, *parameters])):
        assert torch.isfinite(number).all()


@FLOAT_TYPES
@ROWS
def test_inverses_of_extremes_are_finite(alpha: float, s: float, dtype: torch.dtype) -> None:
    transform, parameters = build(alpha, s, dtype)
    y = ray(parameters[0], s).requires_grad_()
    x = transform.inv(y)
    for number in (x, *torch.autograd.grad(x.sum(), [y, *parameters])):
        assert torch.isfinite(number).all()


@ROWS
def test_extremes_are_invertible(alpha: float, s: float) -> None:
    transform, (center, _, _) = build(alpha, s, torch.float64)
    z = ray(center, s)
    y = transform(z)
    assert ((y - center).norm(dim=-1).diff() > 0).all()  # the radius grows with the radius
    torch.testing.assert_close(transform(transform.inv(y)), y, rtol=1e-9, atol=1e-9)
    # Where the map contracts by s / alpha, the inverse makes rounding as many times larger.
    contraction = (transform.alpha / transform.s).clamp(1, 1e12).item()
    atol = 1e-9 + 1e-14 * contraction
    torch.testing.assert_close(transform.inv(y), z, rtol=1e-9, atol=atol)


@FLOAT_TYPES
@pytest.mark.parametrize("radius", [0.5, 1 - 1e-7, 1.0, 1 + 1e-7, 2.0])
def test_inverse_is_smooth_where_its_two_formulas_meet(radius: float, dtype: torch.dtype) -> None:
    alpha, s = 0.7, 1.0
    y = torch.tensor([radius, 0.0], dtype=dtype)
    numbers = [torch.tensor(x, dtype=dtype) for x in ([0.0, 0.0], alpha, s)]
    x = RadialTransform(*numbers).inv(y)
    p = radius - s
    exact = (p + (p**2 + 4 * alpha * radius) ** 0.5) / 2
    assert abs(x[0].item() - exact) < 10 * torch.finfo(dtype).eps
