from collections.abc import Callable
from functools import partial

import pytest
import torch
from linear_gaussian import LinearGaussian
from torch import Size, Tensor

from vae_cli.data.batch import Batch
from vae_cli.errors import InvalidOption
from vae_cli.likelihood.gaussian import GaussianLikelihood
from vae_cli.model.vae import VAE
from vae_cli.network.mlp import MLP
from vae_cli.objective.base import SingleObjective
from vae_cli.objective.elbo import Elbo
from vae_cli.posterior.diagonal import DiagonalPosterior
from vae_cli.posterior.planar import PlanarPosterior
from vae_cli.posterior.radial import RadialPosterior
from vae_cli.prior.standard import StandardPrior

OBJECTIVES: dict[str, Callable[[], SingleObjective]] = {
    "elbo": Elbo,
    "elbo of 3 draws": partial(Elbo, samples=3),
    "elbo by Monte Carlo": partial(Elbo, closed_form_kl=False),
    "elbo tempered as by Rezende": partial(Elbo, closed_form_kl=False, tempering="joint"),
}
POSTERIORS = {
    "diagonal": DiagonalPosterior,
    "planar": partial(PlanarPosterior, flow_length=2),
    "radial": partial(RadialPosterior, flow_length=2),
}
ROWS = pytest.mark.parametrize("make", OBJECTIVES.values(), ids=OBJECTIVES)
SHAPE = Size([2, 2, 3])


def build(posterior: str = "diagonal") -> VAE:
    torch.manual_seed(0)
    network = partial(MLP, hidden_dims=[7], activation="tanh")
    return VAE(
        SHAPE, 3, network, network, POSTERIORS[posterior], StandardPrior, GaussianLikelihood
    ).double()


def batch(count: int) -> Batch:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(count, *SHAPE, generator=generator, dtype=torch.float64)
    return Batch(x, x, torch.full((count,), -1), torch.arange(count))


def evaluate(
    objective: SingleObjective, model: VAE, images: Batch, weight: float
) -> tuple[Tensor, dict[str, Tensor]]:
    torch.manual_seed(2)
    return objective(model, images, weight)


@ROWS
@pytest.mark.parametrize("posterior", POSTERIORS)
@pytest.mark.parametrize("count", [1, 4])
def test_reported(make: Callable[[], SingleObjective], posterior: str, count: int) -> None:
    objective, model, images = make(), build(posterior), batch(count)
    loss, reported = evaluate(objective, model, images, 1.0)
    assert loss.shape == ()
    assert all(quantity.shape == (count,) for quantity in reported.values())
    assert objective.monitor in reported
    for weight in (0.0, 0.3, 4.0):
        tempered, again = evaluate(objective, model, images, weight)
        assert tempered != loss
        torch.testing.assert_close(again, reported, rtol=0, atol=0)
    # What is reported comes from the same draws: at weight 1 it is what a Monte Carlo loss is.
    if not objective.closed_form_kl:
        torch.testing.assert_close(loss, -reported[objective.monitor].mean())
    torch.testing.assert_close(reported["elbo"], reported["reconstruction"] - reported["kl"])


@ROWS
@pytest.mark.parametrize("posterior", POSTERIORS)
@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_gradients(make: Callable[[], SingleObjective], posterior: str, weight: float) -> None:
    objective, model, images = make(), build(posterior), batch(3)
    names, start = zip(*[(n, p.detach().clone()) for n, p in model.named_parameters()], strict=True)
    generator = torch.Generator().manual_seed(3)
    direction = [
        torch.randn(p.shape, generator=generator, dtype=p.dtype).div(p.numel() ** 0.5)
        for p in start
    ]

    def loss_at(step: float) -> Tensor:
        with torch.no_grad():
            for parameter, p, d in zip(model.parameters(), start, direction, strict=True):
                parameter.copy_(p + step * d)
        return evaluate(objective, model, images, weight)[0]

    gradients = torch.autograd.grad(loss_at(0.0), list(model.parameters()))
    slope = sum((g * d).sum() for g, d in zip(gradients, direction, strict=True))
    with torch.no_grad():
        h = 1e-5
        difference = (loss_at(h) - loss_at(-h)) / (2 * h)
    assert len(names) == len(gradients)
    torch.testing.assert_close(slope, difference, rtol=1e-6, atol=1e-8)


@ROWS
def test_mean_over_images(make: Callable[[], SingleObjective]) -> None:
    objective, model, images = make(), build(), batch(4)
    twice = Batch(*(torch.cat([tensor] * 2) for tensor in images))

    def losses(of: Batch) -> Tensor:
        torch.manual_seed(0)
        with torch.no_grad():
            return torch.stack([objective(model, of, 0.5)[0] for _ in range(150)])

    once, again = losses(images), losses(twice)
    error = ((once.var() + again.var()) / 150).sqrt()
    assert abs(once.mean() - again.mean()) < 4 * error
    assert error < 0.05 * once.mean().abs()


@pytest.mark.parametrize("closed_form_kl", [True, False])
def test_reported_bound_has_no_noise_under_the_true_posterior(closed_form_kl: bool) -> None:
    """Noise of log p(x|z) and of the KL cancels in a draw, and does not with the KL's formula."""
    truth = LinearGaussian()
    images = truth.batch(10)
    _, reported = evaluate(Elbo(closed_form_kl=closed_form_kl), truth.vae(), images, 1.0)
    torch.testing.assert_close(reported["elbo"], truth.log_likelihood(images.x))


def test_the_parts_of_the_loss_in_full() -> None:
    model, images = build(), batch(4)
    _, reported = evaluate(Elbo(), model, images, 1.0)
    q = model.encode(images)
    torch.manual_seed(2)
    z = q.rsample((1,))[0]
    loc, free = model.decoder(z).chunk(2, dim=-3)
    scale = 0.01 + free.exp()
    density = torch.distributions.Normal(loc, scale).log_prob(images.x)
    torch.testing.assert_close(reported["reconstruction"], density.flatten(1).sum(1))
    kl = (q.mean**2 + q.variance - q.variance.log() - 1) / 2
    drawn = q.log_prob(z) - model.prior().log_prob(z)
    torch.testing.assert_close(reported["kl"], drawn)
    for weight in (0.0, 0.25, 4.0):
        loss, _ = evaluate(Elbo(), model, images, weight)
        expected = (weight * kl.sum(1) - density.flatten(1).sum(1)).mean()
        torch.testing.assert_close(loss, expected)


def test_joint_tempering_needs_monte_carlo() -> None:
    with pytest.raises(InvalidOption, match=r"closed_form_kl=true: .*false\.$"):
        Elbo(tempering="joint")
    with pytest.raises(InvalidOption, match=r"closed_form_kl"):
        Elbo(tempering="joint", closed_form_kl=True)


@pytest.mark.parametrize(
    ("option", "value"),
    [("samples", 0), ("samples", 1.5), ("closed_form_kl", "yes"), ("tempering", "both")],
)
def test_bad_options(option: str, value: object) -> None:
    with pytest.raises(InvalidOption, match=f"^{option}="):
        Elbo(**{option: value})
