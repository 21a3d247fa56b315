"""Points of the plane, against the curves that they are said to lie on."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from vae_cli.data.dataset import Dataset
from vae_cli.data.plane import INNER, TURNS, circles, spiral
from vae_cli.errors import InvalidOption

both = pytest.mark.parametrize("load", [spiral, circles], ids=lambda load: load.__name__)


def points(dataset: Dataset) -> tuple[Tensor, Tensor]:
    """All points, ``(N, 2)``, float64, and their labels."""
    parts = (dataset.train, dataset.validation, dataset.test)
    pixels = torch.cat([part.pixels for part in parts])
    return pixels.double(), torch.cat([part.labels for part in parts])


@both
def test_parts(load: Callable[..., Dataset]) -> None:
    dataset = load()
    parts = (dataset.train, dataset.validation, dataset.test)
    assert [len(part) for part in parts] == [2000, 500, 500]
    assert {(part.shape, part.pixels.dtype) for part in parts} == {((2,), torch.float32)}
    assert dataset.levels is None and len(dataset.classes) == 2
    assert all(part.labels.bincount().tolist() == [len(part) // 2] * 2 for part in parts)
    x, _ = points(dataset)
    assert 0.9 < x.abs().max() < 1.2
    assert len(x.unique(dim=0)) == 3000  # so none is in two parts


@both
def test_seeds(load: Callable[..., Dataset]) -> None:
    first, again, other = (points(load(seed=seed))[0] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not (first == other).any()


def test_circles_have_radii_of_one_and_a_half() -> None:
    x, y = points(circles(noise=0))
    torch.testing.assert_close(x.norm(dim=1), 1 - 0.5 * y.double(), atol=1e-6, rtol=0)
    assert (x.mean(0).abs() < 4 / math.sqrt(2 * len(x))).all()  # nowhere more than elsewhere


def test_arms_are_those_of_archimedes_and_a_half_turn_apart() -> None:
    x, y = points(spiral(noise=0))
    radius = x.norm(dim=1)
    angle = 2 * math.pi * TURNS * (radius - INNER) / (1 - INNER) + math.pi * y
    turned = torch.stack([angle.cos(), angle.sin()], 1)
    torch.testing.assert_close(x / radius.unsqueeze(1), turned, atol=1e-5, rtol=0)
    assert radius.min() >= INNER - 1e-6 and radius.max() <= 1 + 1e-6


def test_arms_are_even_by_length() -> None:
    x, y = points(spiral(noise=0))
    arm = x[y == 0]
    arm = arm[arm.norm(dim=1).argsort()]
    length = arm.diff(dim=0).norm(dim=1).cumsum(0)
    share = torch.linspace(0, 1, len(length), dtype=length.dtype)
    # Kolmogorov's distance of 1500 points is 0.05 once in a thousand samples.
    assert (length / length[-1] - share).abs().max() < 0.05


@pytest.mark.parametrize("noise", [0.01, 0.1])
def test_noise_has_its_scale(noise: float) -> None:
    clean, noisy = (points(circles(noise=level))[0] for level in (0.0, noise))
    error = (noisy - clean).flatten()
    assert error.std().item() == pytest.approx(noise, rel=4 / math.sqrt(2 * len(error)))
    assert abs(error.mean().item()) < 4 * noise / math.sqrt(len(error))


@both
@pytest.mark.parametrize(("key", "value"), [("noise", -0.1), ("noise", True), ("seed", -1)])
def test_mistakes(load: Callable[..., Dataset], key: str, value: object) -> None:
    with pytest.raises(InvalidOption, match=key):
        load(**{key: value})
