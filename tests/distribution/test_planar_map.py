"""What only the planar map promises: its formula, and that nothing can break it."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import softplus
from transforms import points

from vae_cli.distribution.planar import IDENTITY, PlanarFlow

FLOAT_TYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
EXTREMES = {  # w, u, b
    "as contracting as can be": ([1.0, 0.0], [-100.0, 0.0], 0.0),
    "beyond what exp can hold": ([1.0, 0.0], [-1e4, 3.0], 0.0),
    "contracting far out": ([0.6, -0.8], [-60.0, 80.0], 2.0),
    "no direction": ([0.0, 0.0], [3.0, -2.0], 0.3),
    "no offset": ([1.0, 2.0], [0.0, 0.0], 0.0),
    "huge u": ([1.0, -0.5], [1e6, 1e6], 0.1),
    "huge u across w": ([1.0, 0.0], [0.0, 1e6], 0.1),
    "huge w": ([1e3, 1e3], [1.0, -1.0], 5.0),
    "huge b": ([1.0, -0.5], [-3.0, 1.0], 1e4),
    "tiny w": ([1e-3, 1e-3], [1.0, -0.5], 0.3),
    "hardly any w": ([1e-30, 1e-30], [1.0, -0.5], 0.3),
}
ROWS = pytest.mark.parametrize("row", EXTREMES.values(), ids=EXTREMES)
Row = tuple[list[float], list[float], float]


def one_map(w: Tensor, u: Tensor, b: Tensor) -> PlanarFlow:
    return PlanarFlow(w.unsqueeze(-2), u.unsqueeze(-2), b.unsqueeze(-1))


def build(row: Row, dtype: torch.dtype) -> tuple[PlanarFlow, list[Tensor]]:
    parameters = [torch.tensor(values, dtype=dtype).requires_grad_() for values in row]
    return one_map(*parameters), parameters


def along_w(row: Row, dtype: torch.dtype) -> Tensor:
    """Points on a line along w, through the one where the tanh is 0."""
    w = torch.tensor(row[0], dtype=torch.float64)
    direction = w / w.norm() if w.norm() > 0 else torch.tensor([1.0, 0.0], dtype=torch.float64)
    steps = torch.linspace(-5, 5, 101, dtype=torch.float64)
    middle = -row[2] * direction / w.norm() if w.norm() > 1e-3 else torch.zeros(2)
    return (middle + steps.unsqueeze(-1) * direction).to(dtype)


def test_formula_of_the_paper() -> None:
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        w, u = 2 * torch.randn(2, 3, generator=generator, dtype=torch.float64)
        b = torch.randn((), generator=generator, dtype=torch.float64)
        transform = one_map(w, u, b)
        s = torch.log1p((w @ u + IDENTITY).exp())
        u_hat = u + (s - 1 - w @ u) * w / (w @ w)
        for z in points(3, seed, (5,)):
            psi = (1 - torch.tanh(w @ z + b) ** 2) * w
            y, log_det = transform.transform(z)
            torch.testing.assert_close(y, z + u_hat * torch.tanh(w @ z + b))
            torch.testing.assert_close(log_det, torch.log(1 + u_hat @ psi))


def test_same_family_as_with_the_softplus_of_the_paper() -> None:
    w, u = torch.tensor([[0.5, -1.0], [0.3, 2.0]], dtype=torch.float64)
    b = torch.tensor(0.2, dtype=torch.float64)
    papers = u + (softplus(w @ u) - 1 - w @ u) * w / (w @ w)
    moved = one_map(w, u - IDENTITY * w / (w @ w), b)
    torch.testing.assert_close(moved.u_hat.squeeze(0), papers)


@FLOAT_TYPES
@ROWS
def test_extremes_are_finite(row: Row, dtype: torch.dtype) -> None:
    transform, parameters = build(row, dtype)
    z = along_w(row, dtype).requires_grad_()
    y, log_det = transform.transform(z)
    x = transform.inv(y.detach())
    for number in (y, log_det, x, *torch.autograd.grad(y.sum() + log_det.sum(), [z, *parameters])):
        assert torch.isfinite(number).all()


@FLOAT_TYPES
@ROWS
def test_extremes_are_invertible(row: Row, dtype: torch.dtype) -> None:
    transform, _ = build(row, dtype)
    with torch.no_grad():
        z = along_w(row, dtype)
        y = transform(z)
        x = transform.inv(y)
        scale = 1 + y.abs().max() + transform.u_hat.abs().max()
        slope = transform.transform(z)[1].exp()
        error = torch.finfo(dtype).eps * scale  # of a sum of numbers so large
        assert ((transform(x) - y).norm(dim=-1) <= 20 * error * slope.clamp_min(1)).all()
        # A triple root loses two thirds of the digits; elsewhere the slope says how many are lost.
        lost = error + torch.minimum(error / slope, error ** (1 / 3))
        assert ((x - z).norm(dim=-1) <= 50 * lost).all()


@ROWS
def test_extremes_grow_along_w(row: Row) -> None:
    transform, (w, _, _) = build(row, torch.float64)
    height = along_w(row, torch.float64) @ w
    grown = transform(along_w(row, torch.float64)) @ w
    moves = height.diff() > 1e-15  # where w is as good as 0 there is nothing to tell
    assert (grown.diff()[moves] > 0).all()


@pytest.mark.parametrize("size", [1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-12, 1e-16])
@FLOAT_TYPES
def test_step_stays_bounded_as_w_vanishes(size: float, dtype: torch.dtype) -> None:
    w = size * torch.tensor([0.6, 0.8], dtype=dtype)
    u = torch.tensor([1.0, -2.0], dtype=dtype)
    u_hat = one_map(w, u, torch.tensor(0.3, dtype=dtype)).u_hat.squeeze(0).double()
    e = torch.e
    direction = w.double() / w.double().norm()
    exact = u.double() - (direction @ u.double()) / e * direction  # to first order in w
    torch.testing.assert_close(u_hat, exact, rtol=0, atol=2 * size + 1e-5)


def test_maps_in_a_row_are_maps_one_after_the_other() -> None:
    generator = torch.Generator().manual_seed(0)
    w, u = 2 * torch.randn(2, 4, 6, 3, generator=generator, dtype=torch.float64)
    b = torch.randn(4, 6, generator=generator, dtype=torch.float64)
    z = points(3, 0, (5, 4))
    together, together_log_det = PlanarFlow(w, u, b).transform(z)
    log_det = torch.zeros(5, 4, dtype=torch.float64)
    for k in range(6):
        z, own_log_det = one_map(w[:, k], u[:, k], b[:, k]).transform(z)
        log_det = log_det + own_log_det
    torch.testing.assert_close(together, z)
    torch.testing.assert_close(together_log_det, log_det)


def test_full_precision_under_autocast() -> None:
    generator = torch.Generator().manual_seed(0)
    w, u = torch.randn(2, 4, 6, 3, generator=generator)
    flow, z = PlanarFlow(w, u, torch.zeros(4, 6)), points(3, 0, (5, 4)).float()
    with torch.autocast("cpu", torch.bfloat16):
        mixed = PlanarFlow(w, u, torch.zeros(4, 6))
        numbers = (*mixed.transform(z), mixed.inv(z))
    expected = (*flow.transform(z), flow.inv(z))
    torch.testing.assert_close(numbers, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("draws", [(), (2,)], ids=["one draw", "two draws an image"])
def test_gradients_of_several_maps_and_of_their_gradients(draws: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = [(*draws, 2, 3), (2, 4, 3), (2, 4, 3), (2, 4)]
    tensors = [torch.randn(s, dtype=torch.float64, generator=generator) for s in shapes]
    inputs = [t.requires_grad_() for t in tensors]

    def transform(z: Tensor, *parameters: Tensor) -> tuple[Tensor, Tensor]:
        return PlanarFlow(*parameters).transform(z)

    assert torch.autograd.gradcheck(transform, inputs)
    assert torch.autograd.gradgradcheck(transform, inputs)
    by_vmap = torch.func.vmap(lambda z: transform(z, *tensors[1:]))(
        tensors[0].expand(5, *shapes[0])
    )
    for each, alone in zip(by_vmap, transform(*tensors), strict=True):
        torch.testing.assert_close(each, alone.expand(5, *alone.shape))
