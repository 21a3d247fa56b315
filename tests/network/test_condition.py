"""Encoders to which a condition speaks beside the image."""

from dataclasses import replace

import pytest
import torch
from networks import NETWORKS, VECTOR, Case, build
from torch import Size, Tensor

from vae_cli.network.base import Network
from vae_cli.network.mlp import MLP

IMAGE, B, K = Size([2, 7, 5]), 3, 4
ROWS = pytest.mark.parametrize("case", NETWORKS, ids=lambda case: case.name)


def conditioned(case: Case, condition_dim: int = K) -> Network:
    options = {**case.options, "condition_dim": condition_dim}
    return build(replace(case, options=options), IMAGE, VECTOR).double()


def images() -> Tensor:
    return torch.rand(B, *IMAGE, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def labels(*shape: int) -> Tensor:
    """Conditions that are no labels: any numbers will do."""
    return torch.randn(*shape, K, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


@ROWS
def test_every_class_of_every_image_at_once(case: Case) -> None:
    network, x, y = conditioned(case), images(), torch.eye(K, dtype=torch.float64)
    together = network(x.unsqueeze(1), y)
    assert together.shape == (B, K, *VECTOR)
    for i in range(B):
        for k in range(K):
            torch.testing.assert_close(together[i, k], network(x[i], y[k]))
    # As a distribution of labels asks for it: classes before images.
    torch.testing.assert_close(network(x, y.unsqueeze(1)), together.transpose(0, 1))


@ROWS
def test_batches_of_conditions(case: Case) -> None:
    network, x, y = conditioned(case), images(), labels(5, B)
    together = network(x, y)
    assert together.shape == (5, B, *VECTOR)
    for s in range(5):
        torch.testing.assert_close(together[s], network(x, y[s]))
    torch.testing.assert_close(network(x[0], y[0, 0]), together[0, 0])


@ROWS
def test_all_of_the_image_is_seen_once(case: Case) -> None:
    """What lies before the condition runs on images alone, however many conditions there are."""
    network, rows = conditioned(case), []
    network.layers[0].register_forward_hook(lambda m, args, output: rows.append(args[0].shape))
    network(images().unsqueeze(1), labels(K))
    (shape,) = rows
    assert (shape[:-1].numel() if isinstance(network, MLP) else shape[0]) == B


@ROWS
def test_a_condition_of_zeros_says_nothing(case: Case) -> None:
    plain, network = build(case, IMAGE, VECTOR).double(), conditioned(case)
    weights = network.state_dict()
    joins = {name: weights.pop(name) for name in list(weights) if name.startswith("condition.")}
    assert list(joins) == ["condition.weight"]
    plain.load_state_dict(weights)
    x = images()
    torch.testing.assert_close(network(x, torch.zeros(K).double()), plain(x))
    assert not torch.allclose(network(x, torch.ones(K).double()), plain(x))


@ROWS
def test_without_a_condition_nothing_is_added(case: Case) -> None:
    one, other = build(case, IMAGE, VECTOR), conditioned(case, 0).float()
    assert one.condition is None and other.condition is None
    torch.testing.assert_close(dict(one.state_dict()), dict(other.state_dict()), rtol=0, atol=0)


@ROWS
def test_a_gradient_reaches_every_weight_and_the_condition(case: Case) -> None:
    network, y = conditioned(case), labels(32, 1).requires_grad_()
    network(images(), y).square().sum().backward()
    assert (y.grad.abs().sum(-1) > 0).all()
    for name, parameter in network.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("hidden_dims", [[], [9], [9, 8]], ids=str)
def test_an_mlp_joins_as_if_image_and_condition_were_one_vector(hidden_dims: list[int]) -> None:
    """The network of Kingma et al. 2014, arXiv:1406.5298: an MLP of x and y together."""
    torch.manual_seed(0)
    options = {"hidden_dims": hidden_dims, "activation": "softplus"}
    network = MLP(IMAGE, VECTOR, condition_dim=K, **options).double()
    whole = MLP(Size([IMAGE.numel() + K]), VECTOR, **options).double()
    with torch.no_grad():
        for layer, own in zip(whole.layers[::2], network.layers[::2], strict=True):
            first = layer is whole.layers[0]
            weights = [own.weight, network.condition.weight] if first else [own.weight]
            layer.weight.copy_(torch.cat(weights, 1))
            layer.bias.copy_(own.bias)
    x, y = images(), labels(B)
    torch.testing.assert_close(network(x, y), whole(torch.cat([x.flatten(1), y], 1)))
