"""Test images and what the model makes of them."""

import torch
from matplotlib.figure import Figure as Canvas

from vae_cli import noise
from vae_cli.data.split import Split
from vae_cli.distribution.relations import mean
from vae_cli.figure.base import Figure, sheet
from vae_cli.model.base import LatentVariableModel
from vae_cli.options import PositiveInt, checked


class Reconstructions(Figure):
    """The original image, what was modelled of it, and the mean of p(x|z) at z = E_q[z].

    Args:
        count: Number of images, spread over the split.
    """

    during_training = True

    @checked
    def __init__(self, count: PositiveInt = 12) -> None:
        self.count = count

    @torch.no_grad()
    def draw(self, model: LatentVariableModel, split: Split) -> Canvas:
        """See the base class."""
        index = split.spread(self.count)
        batch = split.batch(index).to(model.device)
        noise.seed_draws(model.device, "figure", "reconstructions")
        rows = {
            "original": split.grey(index).to(model.device),
            split.treatment.label: batch.x,
            "reconstruction": model.decode(mean(model.encode(batch))).mean,
        }
        images = torch.cat(list(rows.values()))
        return sheet(images, len(index), f"reconstructions of {split.name} images", list(rows))
