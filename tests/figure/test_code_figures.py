"""Pictures of a model whose codes have no prior."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Size

from vae_cli.data.dataset import StoredImages
from vae_cli.data.split import Split, Treatment
from vae_cli.figure.base import Drawing, Figure, Inapplicable, draw
from vae_cli.figure.denoise import Denoise
from vae_cli.figure.flow import Flow
from vae_cli.figure.inpaint import Inpaint
from vae_cli.figure.interpolations import Interpolations
from vae_cli.figure.latent_map import LatentMap
from vae_cli.figure.manifold import Manifold
from vae_cli.figure.posterior_predictive import PosteriorPredictive
from vae_cli.figure.reconstructions import Reconstructions
from vae_cli.figure.styles import Styles
from vae_cli.figure.traversals import Traversals
from vae_cli.likelihood.bernoulli import BernoulliLikelihood
from vae_cli.model.autoencoder import Autoencoder
from vae_cli.model.codes import codes_of
from vae_cli.network.mlp import MLP

FIGURES: dict[str, Callable[[], Figure]] = {
    **{f"denoise, {noise}": partial(Denoise, count=3, steps=3, noise=noise)
       for noise in ("auto", "flip", "gaussian", "masking", "salt_and_pepper")},
    "inpaint": partial(Inpaint, count=3, steps=3),
    "interpolations": partial(Interpolations, pairs=2, steps=4),
    "latent_map": LatentMap,
    "manifold": partial(Manifold, rows=4),
    "reconstructions": partial(Reconstructions, count=5),
    "traversals": partial(Traversals, steps=3),
}  # fmt: skip


def model(latent_dim: int = 2) -> Autoencoder:
    torch.manual_seed(0)
    network = partial(MLP, hidden_dims=[8])
    return Autoencoder(Size([1, 6, 5]), latent_dim, network, network, BernoulliLikelihood).eval()


def split(count: int = 30) -> Split:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, 1, 6, 5), generator=generator).byte()
    images = StoredImages(pixels, torch.arange(count) % 3)
    return Split("test", images, Treatment("dynamic", False, 256))


def picture(figure: Figure, latent_dim: int = 2) -> Drawing:
    return draw("name", figure, model(latent_dim), split())


def words(drawing: Drawing) -> str:
    return " ".join([drawing.canvas.get_suptitle(), *(a.get_title() for a in drawing.canvas.axes)])


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES)
@pytest.mark.parametrize("latent_dim", [1, 2, 3])
def test_drawn(make: Callable[[], Figure], latent_dim: int) -> None:
    figure = make()
    if isinstance(figure, Manifold) and latent_dim != 2:
        with pytest.raises(Inapplicable, match="two latent dimensions"):
            picture(figure, latent_dim)
    else:
        drawing = picture(figure, latent_dim)
        assert drawing.arrays and "prior" not in words(drawing) and "q(z" not in words(drawing)


@pytest.mark.parametrize("figure", [PosteriorPredictive(), Flow(), Styles()])
def test_what_needs_more_than_codes_says_so(figure: Figure) -> None:
    with pytest.raises(Inapplicable, match=r"^needs a (model with|posterior|semi-supervised)"):
        picture(figure)


def test_manifold_is_even_in_the_codes_quantiles() -> None:
    z = torch.from_numpy(picture(Manifold(rows=4)).arrays["z"]).view(4, 4, 2)
    codes = codes_of(model(), split(), torch.arange(30))
    expected = codes.quantile(torch.tensor([0.125, 0.375, 0.625, 0.875]), dim=0)
    for k in range(4):
        torch.testing.assert_close(z[k, :, 0], expected[:, 0])  # rising to the right
        torch.testing.assert_close(z[:, k, 1], expected[:, 1].flip(0))  # and upwards


def test_traversals_go_by_the_codes_own_scale() -> None:
    arrays = picture(Traversals(steps=5, reach=2.0), 3).arrays
    codes = codes_of(model(3), split(), torch.arange(30))
    center, scale = codes.mean(0), codes.std(0, correction=0)
    for row, dimension in enumerate(arrays["dimension"]):
        moving = torch.from_numpy(arrays["z"][row, :, dimension])
        steps = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0])
        torch.testing.assert_close(moving, center[dimension] + steps * scale[dimension])


def test_latent_map_fits_small_codes() -> None:
    small = model()
    with torch.no_grad():
        small.encoder.layers[-1].weight.mul_(1e-3)
        small.encoder.layers[-1].bias.zero_()
    (axes,) = draw("name", LatentMap(), small, split()).canvas.axes
    codes = codes_of(small, split(), torch.arange(30))
    low, high = axes.get_xlim()
    widest = (codes.max(0).values - codes.min(0).values).max().item()
    assert high - low == pytest.approx(1.05 * widest, rel=1e-4)
