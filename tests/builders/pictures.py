"""Figures, and the untrained models and images that they are drawn of."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from torch import Size

from vae_cli.data.dataset import StoredImages
from vae_cli.data.split import Split, Treatment
from vae_cli.figure.analogies import Analogies
from vae_cli.figure.base import Drawing, Figure, draw
from vae_cli.figure.confusion import Confusion
from vae_cli.figure.denoise import Denoise
from vae_cli.figure.flow import Flow
from vae_cli.figure.inpaint import Inpaint
from vae_cli.figure.interpolations import Interpolations
from vae_cli.figure.latent_map import LatentMap
from vae_cli.figure.manifold import Manifold
from vae_cli.figure.posterior_predictive import PosteriorPredictive
from vae_cli.figure.reconstructions import Reconstructions
from vae_cli.figure.reliability import Reliability
from vae_cli.figure.samples import Samples
from vae_cli.figure.style_manifold import StyleManifold
from vae_cli.figure.styles import Styles
from vae_cli.figure.traversals import Traversals
from vae_cli.figure.vector_field import VectorField
from vae_cli.likelihood.bernoulli import BernoulliLikelihood
from vae_cli.likelihood.gaussian import GaussianLikelihood
from vae_cli.model.base import LatentVariableModel
from vae_cli.model.m2 import M2
from vae_cli.model.vae import VAE
from vae_cli.network.mlp import MLP
from vae_cli.posterior.base import Posterior
from vae_cli.posterior.diagonal import DiagonalPosterior
from vae_cli.posterior.planar import PlanarPosterior
from vae_cli.prior.standard import StandardPrior


@dataclass(frozen=True)
class Case:
    """A figure: how it is made, and of what.

    Attributes:
        name: Its own.
        make: Makes it.
        needs_plane: Whether it needs two latent dimensions.
        posterior: Of the model.
        least_dim: Latent dimensions that it needs.
        labelled: Whether it is of a model with labels.
        points: Whether it is of points of the plane.
    """

    name: str
    make: Callable[[], Figure]
    needs_plane: bool
    posterior: Callable[..., Posterior] = DiagonalPosterior
    least_dim: int = 1
    labelled: bool = False
    points: bool = False

    def of(self, split: Split, **options: Any) -> Drawing:
        """The picture of an untrained model and a split."""
        return picture(self.make(), self.model(split, **options), split)

    def model(self, split: Split, **options: Any) -> LatentVariableModel:
        """A model that it is drawn of."""
        options = {"posterior": self.posterior} | options
        if self.points:
            options.pop("channels", None)
            return model(shape=POINT, **options)
        if not self.labelled:
            return model(**options)
        return labelled_model(classes=1 + int(split.images.labels.max()), **options)

    def split(
        self, channels: int = 1, count: int = 30, labels: torch.Tensor | None = None
    ) -> Split:
        """Images that it is drawn of."""
        if self.points:
            return points(count, labels)
        images = split(channels, count, labels)
        if self.labelled and labels is None:
            images.images = images.images.relabelled(torch.arange(len(images)) % 3)
        return images


PLANAR = partial(PlanarPosterior, flow_length=2)
POINT = Size([2])
FLOW = partial(Flow, count=2, panels=2, draws=2000)
FIGURES = [
    Case("analogies", partial(Analogies, count=3), needs_plane=False, labelled=True),
    Case("confusion", Confusion, needs_plane=False, labelled=True),
    Case("denoise", partial(Denoise, count=3, steps=3), needs_plane=False),
    Case("flow", FLOW, needs_plane=False, posterior=PLANAR, least_dim=2),
    Case("inpaint", partial(Inpaint, count=3, steps=3), needs_plane=False),
    Case("interpolations", partial(Interpolations, pairs=2, steps=4), needs_plane=False),
    Case("latent_map", LatentMap, needs_plane=False),
    Case("manifold", partial(Manifold, rows=4), needs_plane=True),
    Case("posterior_predictive", partial(PosteriorPredictive, count=3), needs_plane=False),
    Case("reconstructions", partial(Reconstructions, count=5), needs_plane=False),
    Case("reliability", Reliability, needs_plane=False, labelled=True),
    Case("samples", partial(Samples, rows=3), needs_plane=False),
    Case("style_manifold", partial(StyleManifold, rows=4), needs_plane=True, labelled=True),
    Case("styles", partial(Styles, rows=3), needs_plane=False, labelled=True),
    Case("traversals", partial(Traversals, steps=3), needs_plane=False),
    Case("vector_field", partial(VectorField, rows=4), needs_plane=False, points=True),
]
ROWS = pytest.mark.parametrize("case", FIGURES, ids=lambda case: case.name)


def model(
    channels: int = 1,
    latent_dim: int = 2,
    posterior: Callable[..., Posterior] = DiagonalPosterior,
    shape: Size | None = None,
) -> VAE:
    torch.manual_seed(0)
    shape, network = shape or Size([channels, 6, 5]), partial(MLP, hidden_dims=[8])
    if len(shape) == 1:
        return VAE(
            shape, latent_dim, network, network, posterior, StandardPrior, GaussianLikelihood
        )
    return VAE(shape, latent_dim, network, network, posterior, StandardPrior, BernoulliLikelihood)


def labelled_model(
    channels: int = 1,
    latent_dim: int = 2,
    posterior: Callable[..., Posterior] = DiagonalPosterior,
    classes: int = 3,
) -> M2:
    torch.manual_seed(0)
    shape, network = Size([channels, 6, 5]), partial(MLP, hidden_dims=[8])
    return M2(
        shape, latent_dim, classes, network, network, posterior, StandardPrior, BernoulliLikelihood
    )


def split(channels: int = 1, count: int = 30, labels: torch.Tensor | None = None) -> Split:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, channels, 6, 5), generator=generator).byte()
    return Split("test", StoredImages(pixels, labels), Treatment("dynamic", False, 256))


def points(count: int = 30, labels: torch.Tensor | None = None) -> Split:
    x = torch.randn(count, *POINT, generator=torch.Generator().manual_seed(0))
    return Split("test", StoredImages(x, labels), Treatment("none", False, None))


def picture(figure: Figure, model: LatentVariableModel, split: Split, seed: int = 0) -> Drawing:
    return draw("name", figure, model.eval(), split, seed)


def drawn(drawing: Drawing) -> bytes:
    """The picture itself; it must not be of one colour."""
    assert drawing.arrays
    agg = FigureCanvasAgg(drawing.canvas)
    agg.draw()
    pixels = np.asarray(agg.buffer_rgba())
    assert np.count_nonzero(np.bincount(pixels.flat)) > 2
    return pixels.tobytes()
