from functools import partial

import pytest
import torch
from torch import Size, nn

from vae_cli.data.batch import Batch
from vae_cli.errors import InvalidOption
from vae_cli.likelihood.bernoulli import BernoulliLikelihood
from vae_cli.likelihood.gaussian import GaussianLikelihood
from vae_cli.model.vae import VAE
from vae_cli.network.conv import Conv
from vae_cli.network.mlp import MLP
from vae_cli.posterior.diagonal import DiagonalPosterior
from vae_cli.posterior.planar import PlanarPosterior
from vae_cli.posterior.radial import RadialPosterior
from vae_cli.prior.standard import StandardPrior

SHAPE = Size([3, 6, 5])
MLP_SMALL = partial(MLP, hidden_dims=[16], activation="tanh")
CONV_SMALL = partial(Conv, channels=[4, 5], hidden_dim=16)
PLANAR, RADIAL = partial(PlanarPosterior, flow_length=3), partial(RadialPosterior, flow_length=3)
MODELS = {  # network, posterior, likelihood: every kind of each
    "mlp": (MLP_SMALL, DiagonalPosterior, BernoulliLikelihood),
    "conv": (CONV_SMALL, DiagonalPosterior, GaussianLikelihood),
    "planar": (MLP_SMALL, PLANAR, partial(GaussianLikelihood, scale="shared")),
    "radial": (CONV_SMALL, RADIAL, BernoulliLikelihood),
}
ROWS = pytest.mark.parametrize("name", MODELS)


def build(name: str, latent_dim: int = 4) -> VAE:
    torch.manual_seed(0)
    network, posterior, likelihood = MODELS[name]
    return VAE(SHAPE, latent_dim, network, network, posterior, StandardPrior, likelihood)


def batch(count: int, dtype: torch.dtype = torch.float32) -> Batch:
    generator = torch.Generator().manual_seed(1)
    x = (torch.rand(count, *SHAPE, generator=generator) > 0.5).to(dtype)
    return Batch(x, x, torch.full((count,), -1), torch.arange(count))


@ROWS
@pytest.mark.parametrize("latent_dim", [1, 4])
@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("closed_form_kl", [True, False])
def test_terms(name: str, latent_dim: int, count: int, samples: int, closed_form_kl: bool) -> None:
    model = build(name, latent_dim).double()
    images = batch(count, torch.float64)
    torch.manual_seed(0)
    terms = model.terms(images, samples, closed_form_kl)
    assert all(term.shape == (samples, count) for term in terms)
    # The same, one draw and one image at a time.
    torch.manual_seed(0)
    q = model.encode(images)
    z = q.rsample((samples,))
    for s in range(samples):
        log_q = q.log_prob(z[s])
        for i in range(count):
            x = images.x[i]
            log_likelihood = model.decode(z[s, i]).log_prob(x)
            torch.testing.assert_close(terms.log_likelihood[s, i], log_likelihood)
            torch.testing.assert_close(terms.log_prior[s, i], model.prior().log_prob(z[s, i]))
            torch.testing.assert_close(terms.log_posterior[s, i], log_q[i])
    factorises = closed_form_kl and MODELS[name][1] is DiagonalPosterior
    if factorises:
        expected = ((q.variance + q.mean**2 - 1 - q.variance.log()) / 2).sum(-1)
        torch.testing.assert_close(terms.kl, expected.expand(samples, -1))
    elif not closed_form_kl:
        torch.testing.assert_close(terms.kl, terms.log_posterior - terms.log_prior)


@ROWS
def test_closed_form_kl_is_the_mean_of_the_draws(name: str) -> None:
    model = build(name).double()
    torch.manual_seed(0)
    images = batch(3, torch.float64)
    with torch.no_grad():
        closed = model.terms(images, 3000, closed_form_kl=True).kl
        draws = model.terms(images, 3000, closed_form_kl=False).kl
    error = ((closed.var(0) + draws.var(0)) / 3000).sqrt()
    assert ((draws.mean(0) - closed.mean(0)).abs() < 4 * error).all()
    assert (closed.std(0) < draws.std(0)).all()  # what it is for: less noise


@ROWS
def test_encoder_sees_the_input_and_the_bound_is_of_x(name: str) -> None:
    model = build(name).double()
    images = batch(3, torch.float64)
    other = images._replace(input=1 - images.x)
    z = torch.zeros(3, 4, dtype=torch.float64)
    assert not torch.allclose(
        model.encode(images).log_prob(z), model.encode(other).log_prob(z), rtol=1e-6
    )
    torch.manual_seed(0)
    terms = model.terms(other, 1, closed_form_kl=False)
    torch.manual_seed(0)
    z = model.encode(other).rsample((1,))
    torch.testing.assert_close(terms.log_likelihood, model.decode(z).log_prob(images.x))


@ROWS
def test_gradients_reach_every_parameter(name: str) -> None:
    model = build(name)
    model.terms(batch(8), 2, closed_form_kl=True).bound().mean().backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.abs().sum() > 0, key


@ROWS
def test_terms_are_float32_under_autocast(name: str) -> None:
    model, images = build(name), batch(8)
    outputs = []
    model.encoder.register_forward_hook(lambda module, args, output: outputs.append(output))
    torch.manual_seed(0)
    full = model.terms(images, 4, closed_form_kl=True)
    torch.manual_seed(0)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = model.terms(images, 4, closed_form_kl=True)
        loss = -mixed.bound().mean()
    assert [output.dtype for output in outputs] == [torch.float32, torch.bfloat16]
    for one, other in zip(full, mixed, strict=True):
        assert one.dtype == other.dtype == torch.float32
        torch.testing.assert_close(other, one, rtol=0.02, atol=0.3)
    assert loss.dtype == torch.float32
    loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


@ROWS
def test_networks_get_the_sizes_they_need(name: str) -> None:
    model = build(name)
    images = batch(2)
    assert model.encoder(images.x).shape == (2, model.posterior.parameter_count)
    z = torch.zeros(7, 2, 4)
    assert model.decode(z).mean.shape == (7, 2, *SHAPE)
    channels = SHAPE[0] * model.likelihood.parameters_per_value
    assert model.decoder(z).shape == (7, 2, channels, *SHAPE[1:])


@ROWS
def test_weights_survive_a_checkpoint(name: str) -> None:
    model, fresh, images = build(name), build(name), batch(2)
    for parameter in fresh.parameters():
        nn.init.zeros_(parameter)
    fresh.load_state_dict(model.state_dict())
    terms = []
    for one in (model, fresh):
        torch.manual_seed(0)
        terms.append(one.terms(images, 1, closed_form_kl=True))
    torch.testing.assert_close(*terms, rtol=0, atol=0)


@pytest.mark.parametrize("latent_dim", [0, -1, 2.5, True])
def test_bad_latent_dims(latent_dim: object) -> None:
    with pytest.raises(InvalidOption, match=r"^latent_dim="):
        build("mlp", latent_dim)
