"""A joint distribution of layers, against the Gaussian that linear layers make up."""

import pytest
import torch
from torch import Tensor
from torch.distributions import Distribution, MultivariateNormal, Poisson

from vae_cli.distribution.layered import LayeredDistribution, kl_per_layer
from vae_cli.distribution.normal import DiagonalNormal
from vae_cli.distribution.relations import from_noise, mean, sample_with_log_prob

SIZES = (2, 1, 3)
ORDER = (1, 2, 0)  # in which they are drawn


def layered(seed: int, batch: tuple[int, ...] = ()) -> LayeredDistribution:
    """Each layer a linear map of the sum of all layers drawn before."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    start = {layer: (random(*batch, SIZES[layer]), random(SIZES[layer]) / 3) for layer in ORDER}
    slope = {layer: random(SIZES[layer]) for layer in ORDER}

    def conditional(layer: int) -> Distribution:
        loc, log_scale = start[layer]

        def of(z: dict[int, Tensor]) -> Distribution:
            above = sum(part.sum(-1, keepdim=True) for part in z.values()) if z else 0.0
            center = loc + above * slope[layer]
            return DiagonalNormal(center, log_scale.expand_as(center))

        return of

    return LayeredDistribution(SIZES, {layer: conditional(layer) for layer in ORDER})


@pytest.mark.parametrize("sample_shape", [(), (5,), (2, 3)], ids=str)
@pytest.mark.parametrize("batch", [(), (4,)], ids=str)
def test_draws_have_their_density(batch: tuple[int, ...], sample_shape: tuple[int, ...]) -> None:
    q = layered(0, batch)
    assert (q.batch_shape, q.event_shape) == (batch, (6,)) and q.has_rsample
    z, log_q = sample_with_log_prob(q, sample_shape)
    assert z.shape == (*sample_shape, *batch, 6)
    torch.testing.assert_close(q.log_prob(z), log_q)
    torch.testing.assert_close(q.layer_log_probs(z).sum(-1), log_q)
    noise = torch.randn(*sample_shape, *batch, 6, dtype=torch.float64)
    z, log_q = from_noise(q, noise)
    torch.testing.assert_close(q.log_prob(z), log_q)


def test_it_is_the_gaussian_that_linear_layers_make_up() -> None:
    q = layered(0)
    start = torch.zeros(6, dtype=torch.float64)
    center, _ = from_noise(q, start)
    root = torch.autograd.functional.jacobian(lambda noise: from_noise(q, noise)[0], start)
    z = torch.randn(7, 6, dtype=torch.float64)
    expected = MultivariateNormal(center, root @ root.T).log_prob(z)
    torch.testing.assert_close(q.log_prob(z), expected)
    torch.manual_seed(0)
    error = (mean(q, 40_000) - center).abs()
    assert (error < 5 * (root @ root.T).diagonal().sqrt() / 200).all()


def test_the_shares_of_the_layers_make_up_the_kl() -> None:
    q, p = layered(0, (4,)), layered(1)
    torch.manual_seed(0)
    shares = kl_per_layer(q, p)
    torch.manual_seed(0)
    z, log_q = sample_with_log_prob(q)
    assert shares.shape == (4, 3)
    torch.testing.assert_close(shares.sum(-1), log_q - p.log_prob(z))


def test_a_draw_without_a_gradient() -> None:
    rate = torch.ones(3, requires_grad=True)
    z, log_q = sample_with_log_prob(Poisson(rate), (4,))
    assert not z.requires_grad and log_q.requires_grad
