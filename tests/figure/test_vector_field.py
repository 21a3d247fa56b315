"""The field of reconstructions, against densities whose score is known."""

from functools import partial

import pytest
import torch
from torch import Size, Tensor
from torch.distributions import MultivariateNormal

from vae_cli.data.dataset import StoredImages
from vae_cli.data.split import Split, Treatment
from vae_cli.figure.base import Inapplicable, draw
from vae_cli.figure.vector_field import Field, VectorField
from vae_cli.likelihood.bernoulli import BernoulliLikelihood
from vae_cli.likelihood.gaussian import GaussianLikelihood
from vae_cli.model.linear_gaussian import LinearGaussian
from vae_cli.model.vae import VAE
from vae_cli.network.mlp import MLP
from vae_cli.posterior.diagonal import DiagonalPosterior
from vae_cli.posterior.exact import ExactPosterior
from vae_cli.prior.standard import StandardPrior

SIGMA = 0.3


def split(points: Tensor) -> Split:
    return Split("test", StoredImages(points), Treatment("none", False, None))


@pytest.mark.parametrize("latent_dim", [1, 2, 3])
def test_the_optimal_denoiser_moves_by_the_score(latent_dim: int) -> None:
    """The mean of the clean point given the noisy one is x + sigma² ∇ log p(x) (Tweedie)."""
    torch.manual_seed(0)
    likelihood = partial(GaussianLikelihood, scale=SIGMA)
    network = partial(MLP, hidden_dims=[])
    model = LinearGaussian(
        Size([2]), latent_dim, "shared", likelihood, StandardPrior, ExactPosterior(), network
    ).double()
    weight, bias = model.decoder.weight.detach(), model.decoder.bias.detach()
    data = split(torch.randn(40, 2))
    arrays = draw("field", VectorField(rows=6), model, data).arrays
    x, moved = (torch.from_numpy(arrays[name]).flatten(1) for name in ("x", "reconstruction"))
    noisy = weight @ weight.T + SIGMA**2 * torch.eye(2, dtype=torch.float64)
    x = x.double().requires_grad_()
    MultivariateNormal(bias, noisy).log_prob(x).sum().backward()
    torch.testing.assert_close(moved - x.detach(), SIGMA**2 * x.grad)


def test_arrows_start_on_the_grid_and_are_cut_to_its_spacing() -> None:
    torch.manual_seed(0)
    network = partial(MLP, hidden_dims=[8])
    model = VAE(
        Size([2]), 2, network, network, DiagonalPosterior, StandardPrior, GaussianLikelihood
    )  # fmt: skip
    data = split(torch.randn(40, 2))
    drawing = draw("field", VectorField(rows=5), model, data)
    x, moved = (
        torch.from_numpy(drawing.arrays[name]).flatten(1) for name in ("x", "reconstruction")
    )
    axes = drawing.canvas.axes[0]
    points, arrows = axes.collections
    torch.testing.assert_close(
        torch.tensor(points.get_offsets().tolist()), data.images.pixels.flatten(1)
    )
    start = torch.tensor(arrows.get_offsets().tolist())
    torch.testing.assert_close(start, x)
    assert x.abs().max() > data.images.pixels.abs().max()
    shown = torch.tensor([arrows.U.tolist(), arrows.V.tolist()]).T
    wanted = moved - x
    cosine = torch.cosine_similarity(shown, wanted)
    torch.testing.assert_close(cosine, torch.ones(25))
    spacing = 2 * x.max() / 5
    length = wanted.norm(dim=1).clamp_max(spacing)
    assert (length < spacing).any() and (length == spacing).any()
    torch.testing.assert_close(shown.norm(dim=1), length)
    torch.testing.assert_close(torch.tensor(arrows.get_array().tolist()), wanted.norm(dim=1))
    assert axes.get_aspect() == 1


def test_images_have_no_plane() -> None:
    network = partial(MLP, hidden_dims=[8])
    shape = Size([1, 2, 2])
    model = VAE(shape, 2, network, network, DiagonalPosterior, StandardPrior, BernoulliLikelihood)
    images = Split("test", StoredImages(torch.rand(4, *shape)), Treatment("dynamic", False, None))
    with pytest.raises(Inapplicable, match="points of the plane"):
        draw("field", VectorField(), model, images)


def test_fields_of_several_models_are_on_one_scale() -> None:
    x = torch.tensor([[-1.0, 0.0], [1.0, 0.0]])
    small, large = (Field("title", x, x + move, x) for move in (0.1, 5.0))
    canvas = small.stacked(["a", "b"], [large])
    *panels, bar = canvas.axes
    arrows = [axes.collections[1] for axes in panels]
    assert len({each.get_clim() for each in arrows}) == 1
    assert arrows[0].get_clim()[1] == pytest.approx(float(large.distance.max()))
    assert [axes.get_title() for axes in panels] == ["a", "b"]
    assert "distance" in bar.get_ylabel() and panels[0].get_xlabel() == "$x_1$"
