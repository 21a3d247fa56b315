"""Images the model makes up."""

import torch
from torch import Size, Tensor
from torch.distributions import Distribution

from vae_cli.data.split import Split
from vae_cli.distribution.labelled import LabelledDistribution
from vae_cli.figure.base import Drawing, Figure, sheet, to_numpy
from vae_cli.model.base import LatentVariableModel
from vae_cli.options import PositiveFloat, Tiles, checked


def draw_latents(prior: Distribution, count: int, temperature: float) -> Tensor:
    """Draws from the prior, ``(count, latent_dim)``, with labels behind where it has them.

    Args:
        prior: Batch shape ``()``.
        count: How many.
        temperature: By which their distance from the prior's mean is multiplied; not a label's.
    """
    z = prior.sample(Size([count]))
    tempered = prior.mean + temperature * (z - prior.mean)
    size = prior.latent_dim if isinstance(prior, LabelledDistribution) else z.shape[-1]
    return torch.cat([tempered[:, :size], z[:, size:]], -1)


class Samples(Figure):
    """Means of p(x|z) for z from the prior.

    Args:
        rows: Rows, and columns, of the grid.
        temperature: Of z: below 1 images are more typical and less varied.
    """

    model_class = LatentVariableModel
    during_training = True

    @checked
    def __init__(self, rows: Tiles = 10, temperature: PositiveFloat = 1.0) -> None:
        self.rows, self.temperature = rows, temperature

    def draw(  # type: ignore[override]  # of such models alone
        self, model: LatentVariableModel, split: Split
    ) -> Drawing:
        """See the base class."""
        z = draw_latents(model.prior(), self.rows**2, self.temperature)
        x = model.decode(z).mean
        heat = "" if self.temperature == 1 else f", temperature {self.temperature:g}"
        title = f"samples: mean of p(x|z), z from the prior{heat}"
        return Drawing(sheet(x, self.rows, title), to_numpy(z=z, x=x))
