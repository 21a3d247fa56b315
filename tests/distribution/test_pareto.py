"""The shape of a tail, where it is known."""

import pytest
import torch
from torch.distributions import Pareto

from vae_cli.distribution.pareto import pareto_shape, tail_size


def largest(log_weight: torch.Tensor) -> torch.Tensor:
    return log_weight.topk(tail_size(len(log_weight)) + 1, 0).values


@pytest.mark.parametrize("shape", [0.25, 0.5, 0.8, 1.2])
def test_tail_of_a_power(shape: float) -> None:
    torch.manual_seed(0)
    weights = Pareto(torch.ones(40, dtype=torch.float64), 1 / shape).sample((50_000,))
    found = pareto_shape(largest(weights.log()))
    assert found.mean().item() == pytest.approx(shape, abs=0.03)
    assert found.std().item() < 0.1


def test_scale_does_not_matter() -> None:
    torch.manual_seed(0)
    log_weight = torch.randn(1000, 3, dtype=torch.float64)
    moved = pareto_shape(largest(log_weight - 5000))
    torch.testing.assert_close(moved, pareto_shape(largest(log_weight)))


def test_equal_weights_have_no_tail_and_few_are_unknown() -> None:
    assert (pareto_shape(largest(torch.full((100, 2), -3.0))) == 0).all()
    assert pareto_shape(largest(torch.zeros(20, 2))).isnan().all()
