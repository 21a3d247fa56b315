"""Images the model makes up."""

import torch
from matplotlib.figure import Figure as Canvas

from vae_cli import noise
from vae_cli.data.split import Split
from vae_cli.figure.base import Figure, sheet
from vae_cli.model.base import LatentVariableModel
from vae_cli.options import PositiveInt, checked


class Samples(Figure):
    """Means of p(x|z) for z from the prior, the same z whenever it is drawn.

    Args:
        rows: Rows, and columns, of the grid.
    """

    during_training = True

    @checked
    def __init__(self, rows: PositiveInt = 10) -> None:
        self.rows = rows

    @torch.no_grad()
    def draw(self, model: LatentVariableModel, split: Split) -> Canvas:
        """See the base class."""
        noise.seed_draws(model.device, "figure", "samples")
        z = model.prior().sample(torch.Size([self.rows**2]))
        return sheet(model.decode(z).mean, self.rows, "samples: mean of p(x|z), z from the prior")
