"""Networks written for one batch dimension, as models use them."""

import math
from collections.abc import Sequence
from functools import partial

import pytest
import torch
from torch import Size, Tensor, nn

from vae_cli.data.batch import Batch
from vae_cli.errors import InvalidOption
from vae_cli.likelihood.bernoulli import BernoulliLikelihood
from vae_cli.model.m2 import M2
from vae_cli.model.vae import VAE
from vae_cli.network.base import Network
from vae_cli.network.build import build_decoder, build_encoder
from vae_cli.network.mlp import MLP
from vae_cli.posterior.diagonal import DiagonalPosterior
from vae_cli.prior.standard import StandardPrior

IMAGE, VECTOR = Size([1, 4, 5]), Size([6])


class Plain(nn.Sequential):
    def __init__(self, in_shape: Sequence[int], out_shape: Sequence[int]) -> None:
        n, m = math.prod(in_shape), math.prod(out_shape)
        layers = [nn.Flatten(), nn.Linear(n, 8), nn.BatchNorm1d(8), nn.GELU(), nn.Dropout()]
        super().__init__(*layers, nn.Linear(8, m), nn.Unflatten(1, tuple(out_shape)))


class Lazy(nn.Sequential):
    def __init__(self, in_shape: Sequence[int], out_shape: Sequence[int]) -> None:
        linear = nn.LazyLinear(math.prod(out_shape))
        super().__init__(nn.Flatten(), linear, nn.Unflatten(1, tuple(out_shape)))


class Conditioned(nn.Module):
    def __init__(
        self, in_shape: Sequence[int], out_shape: Sequence[int], condition_dim: int = 0
    ) -> None:
        super().__init__()
        self.plain = Plain([math.prod(in_shape) + condition_dim], out_shape)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        flat = x.flatten(1)
        return self.plain(flat if condition is None else torch.cat([flat, condition], 1))


OWN = pytest.mark.parametrize("own", [Plain, Lazy, Conditioned])


@OWN
@pytest.mark.parametrize(("in_shape", "out_shape"), [(IMAGE, VECTOR), (VECTOR, IMAGE)])
def test_any_dimensions_before_the_batch(own: type, in_shape: Size, out_shape: Size) -> None:
    is_encoder = in_shape == IMAGE
    network = build_encoder(own, IMAGE, 6) if is_encoder else build_decoder(own, 6, IMAGE, 1)
    network = network.eval()
    x = torch.rand(2, 3, 4, *in_shape)
    y = network(x)
    assert y.shape == (2, 3, 4, *out_shape)
    torch.testing.assert_close(y[1, 2], network(x[1, 2]))
    torch.testing.assert_close(y[1, 2, 3], network(x[1, 2, 3]))


def test_conditions_are_broadcast() -> None:
    network = build_encoder(Conditioned, IMAGE, 6, condition_dim=3).eval()
    x, y = torch.rand(4, *IMAGE), torch.eye(3)
    together = network(x.unsqueeze(1), y)
    assert together.shape == (4, 3, *VECTOR)
    torch.testing.assert_close(together[2], network(x[2], y))
    torch.testing.assert_close(together[2, 1], network(x[2], y[1]))


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize(
    ("model", "own"), [(VAE, Plain), (VAE, Lazy), (partial(M2, classes=3), Conditioned)]
)
def test_models_train_on_them(model: type, own: type, device: str) -> None:
    with torch.device(device):
        made = model(
            shape=IMAGE, latent_dim=2, encoder=own, decoder=own, posterior=DiagonalPosterior,
            prior=StandardPrior, likelihood=BernoulliLikelihood,
        )  # fmt: skip
        x, number = torch.ones(5, *IMAGE), torch.zeros(5, dtype=torch.int64)
        terms = made.terms(Batch(x, x, number, number), 3, closed_form_kl=False)
        terms.log_likelihood.mean().backward()
    assert terms.log_likelihood.shape == (3, 5)


def test_the_trial_leaves_no_trace() -> None:
    state = torch.get_rng_state()
    weights = Plain(IMAGE, VECTOR).state_dict()
    drawn = torch.get_rng_state()
    torch.set_rng_state(state)
    network = build_encoder(Plain, IMAGE, 6)
    assert torch.equal(torch.get_rng_state(), drawn) and network.training
    for (_, one), other in zip(network.state_dict().items(), weights.values(), strict=True):
        assert torch.equal(one, other)


def test_networks_of_the_package_stay_as_they_are() -> None:
    assert type(build_encoder(partial(MLP, hidden_dims=[3]), IMAGE, 6)) is MLP


class Wrong(Network):
    def __init__(self, in_shape: Size, out_shape: Size) -> None:
        super().__init__()

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        return x[0]


class Returns(nn.Module):
    def __init__(self, in_shape: Size, out_shape: Size, value: object = None) -> None:
        super().__init__()
        self.value = value

    def forward(self, x: Tensor) -> object:
        return self.value


MISTAKES = {
    r"Plain: can't map \(6, 1, 4, 5\) to \(6, 6\) \(.*\)\. It was built with in_shape=\(1, 4, 5\)":
        lambda in_shape, out_shape: Plain([7], out_shape),
    r"Returns: maps \(6, 1, 4, 5\) to tuple instead of \(6, 6\)\. ": partial(Returns, value=()),
    r"Returns: maps \(6, 1, 4, 5\) to \(6, 2\) instead of \(6, 6\)\. ":
        partial(Returns, value=torch.zeros(6, 2)),
    r"Wrong: maps \(2, 3, 1, 4, 5\) to \(3, 1, 4, 5\) instead of \(2, 3, 6\)\. ": Wrong,
    r"does not build a torch Module": lambda in_shape, out_shape: None,
}  # fmt: skip


@pytest.mark.parametrize("message", MISTAKES)
def test_a_wrong_shape_is_reported_at_the_start(message: str) -> None:
    with pytest.raises(InvalidOption, match=message.replace("Plain: ", ".*: ")) as caught:
        build_encoder(MISTAKES[message], IMAGE, 6)
    assert str(caught.value).startswith("encoder=")


def test_an_encoder_without_a_condition_is_refused() -> None:
    with pytest.raises(InvalidOption, match=r"Plain: takes no condition_dim, .* Add the argument"):
        build_encoder(Plain, IMAGE, 6, condition_dim=3)
