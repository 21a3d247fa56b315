"""The plane of a two-dimensional latent space."""

import math

import torch
from torch import Tensor

from vae_cli.data.split import Split
from vae_cli.figure.base import Drawing, Figure, Inapplicable, name_examples, to_numpy
from vae_cli.figure.scale import Scale
from vae_cli.figure.sheet import sheet
from vae_cli.model.base import LatentVariableModel, Model
from vae_cli.model.codes import codes_of
from vae_cli.model.labelled import SemiSupervisedModel
from vae_cli.options import Tiles, checked

COUNT = 2000  # codes at most, of which quantiles are taken


def quantile_grid(rows: int, device: torch.device) -> Tensor:
    """Points of the plane, even in the probability of N(0, I): ``(rows², 2)``, as by ``grid``."""
    quantiles = torch.special.ndtri(_levels(rows, device))
    return grid(quantiles, quantiles)


def grid(across: Tensor, up: Tensor) -> Tensor:
    """Points of the plane from their coordinates, each ``(rows,)`` and rising: ``(rows², 2)``.

    They go row by row from the top, as images are laid out: the first coordinate rises to the
    right, the second upwards.
    """
    second, first = torch.meshgrid(up.flip(0), across, indexing="ij")
    return torch.stack([first.flatten(), second.flatten()], dim=-1)


def scale_of(z: Tensor) -> Scale:
    """The axes of what stands on a ``grid``, ``(rows², 2)``."""
    rows = math.isqrt(len(z))
    return Scale(z[:rows, 0].tolist(), z[::rows, 1].tolist())


def _levels(rows: int, device: torch.device) -> Tensor:
    """Probabilities, even and symmetric: ``(rows,)``."""
    return (torch.arange(rows, device=device) + 0.5) / rows


class Manifold(Figure[Model]):
    """Means of p(x|z) on a grid of z that is even in probability: the quantiles of N(0, 1).

    (Kingma & Welling 2014, arXiv:1312.6114, figure 4.) For two latent dimensions. Of a model
    without a prior they are the quantiles of each coordinate of the split's codes.

    Args:
        rows: Rows, and columns, of the grid.
    """

    during_training = True
    starts_from_prior = True

    @checked
    def __init__(self, rows: Tiles = 20) -> None:
        self.rows = rows

    def draw(self, model: Model, split: Split) -> Drawing:
        """See the base class."""
        if isinstance(model, SemiSupervisedModel):
            raise Inapplicable("needs a model without labels; style_manifold suits one with labels")
        if model.latent_dim != 2:
            raise Inapplicable("needs two latent dimensions")
        if isinstance(model, LatentVariableModel):
            z, steps = quantile_grid(self.rows, model.device), "in equal steps of prior probability"
        else:
            codes = codes_of(model, split, split.spread(COUNT))
            z = grid(*codes.quantile(_levels(self.rows, model.device), dim=0).unbind(1))
            steps = f"at quantiles of the codes of {name_examples(split)}"
        x = model.decode(z).mean
        title = f"What the decoder draws for each z, {steps}"
        canvas = sheet(x, self.rows, title, limits=split.treatment.limits, scale=scale_of(z))
        return Drawing(canvas, to_numpy(z=z, x=x))
