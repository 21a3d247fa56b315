"""What corruption does to images, by its statistics over many values."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from vae_cli.data.corruption import CORRUPTIONS, flip, gaussian, masking, salt_and_pepper

COUNT = 200_000
X = torch.rand(COUNT // 100, 1, 10, 10, generator=torch.Generator().manual_seed(0)) * 0.8 + 0.1


def spoilt(apply: Callable[[Tensor, float], Tensor], level: float) -> Tensor:
    torch.manual_seed(1)
    return apply(X, level)


def is_near(share: Tensor, expected: float) -> bool:
    """Within four standard errors of a share of all values."""
    error = math.sqrt(expected * (1 - expected) / COUNT)
    return abs(share.double().mean().item() - expected) < 4 * error


def test_gaussian_noise_has_its_standard_deviation() -> None:
    noise = (spoilt(gaussian, 0.3) - X).double()
    assert abs(noise.mean()) < 4 * 0.3 / math.sqrt(COUNT)
    assert abs(noise.std() / 0.3 - 1) < 4 / math.sqrt(2 * COUNT)
    assert abs((noise * (X - X.mean()).double()).mean()) < 4 * 0.3 / math.sqrt(COUNT)


@pytest.mark.parametrize("level", [0.1, 0.25, 0.9])
def test_masked_values_are_0_and_others_stay(level: float) -> None:
    found = spoilt(masking, level)
    assert is_near(found == 0, level)
    assert torch.equal(found[found != 0], X[found != 0])


@pytest.mark.parametrize("level", [0.1, 0.5])
def test_salt_and_pepper_are_even(level: float) -> None:
    found = spoilt(salt_and_pepper, level)
    assert is_near(found == 0, level / 2) and is_near(found == 1, level / 2)
    stays = (found != 0) & (found != 1)
    assert torch.equal(found[stays], X[stays])


def test_flipped_values_are_opposite() -> None:
    found = spoilt(flip, 0.1)
    is_other = found != X
    assert is_near(is_other, 0.1)
    assert torch.equal(found[is_other], 1 - X[is_other])


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_each_call_draws_anew_and_repeats_from_its_seed(name: str) -> None:
    apply, level, is_share = CORRUPTIONS[name]
    first, again = spoilt(apply, level), spoilt(apply, level)
    assert torch.equal(first, again) and not torch.equal(first, apply(X, level))
    assert first.shape == X.shape and first.dtype == X.dtype
    if is_share:
        assert is_near(first != X, level)
        assert (apply(X, 1.0) != X).all()
