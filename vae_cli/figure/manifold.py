"""The plane of a two-dimensional latent space."""

import torch
from torch import Tensor

from vae_cli.data.split import Split
from vae_cli.figure.base import Drawing, Figure, Inapplicable, sheet, to_numpy
from vae_cli.model.base import LatentVariableModel
from vae_cli.model.labelled import SemiSupervisedModel
from vae_cli.options import Tiles, checked


def quantile_grid(rows: int, device: torch.device) -> Tensor:
    """Points of the plane, even in the probability of N(0, I): ``(rows², 2)``.

    They go row by row from the top, as images are laid out: the first coordinate rises to the
    right, the second upwards.
    """
    levels = (torch.arange(rows, device=device) + 0.5) / rows
    quantiles = torch.special.ndtri(levels)
    down, across = torch.meshgrid(quantiles.flip(0), quantiles, indexing="ij")
    return torch.stack([across.flatten(), down.flatten()], dim=-1)


class Manifold(Figure):
    """Means of p(x|z) on a grid of z that is even in probability: the quantiles of N(0, 1).

    (Kingma & Welling 2014, arXiv:1312.6114, figure 4.) For two latent dimensions.

    Args:
        rows: Rows, and columns, of the grid.
    """

    during_training = True

    @checked
    def __init__(self, rows: Tiles = 20) -> None:
        self.rows = rows

    def draw(self, model: LatentVariableModel, split: Split) -> Drawing:
        """See the base class."""
        if isinstance(model, SemiSupervisedModel):
            raise Inapplicable("needs a model without labels, style_manifold one with them")
        if model.prior().event_shape != (2,):
            raise Inapplicable("needs two latent dimensions")
        z = quantile_grid(self.rows, model.device)
        x = model.decode(z).mean
        title = "manifold: mean of p(x|z) over the quantiles of the prior"
        return Drawing(sheet(x, self.rows, title), to_numpy(z=z, x=x))
