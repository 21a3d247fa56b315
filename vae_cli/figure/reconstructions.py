"""Test images and what the model makes of them."""

import torch

from vae_cli.data.split import Split
from vae_cli.distribution.relations import mean
from vae_cli.figure.base import Drawing, Figure, sheet, to_numpy
from vae_cli.model.base import Model
from vae_cli.options import Tiles, checked


class Reconstructions(Figure):
    """The original image, what was modelled of it, and the mean of p(x|z) at z = E_q[z].

    Args:
        count: Number of images, spread over the split.
    """

    during_training = True

    @checked
    def __init__(self, count: Tiles = 12) -> None:
        self.count = count

    def draw(self, model: Model, split: Split) -> Drawing:
        """See the base class."""
        index = split.spread(self.count)
        batch = split.batch(index).to(model.device)
        original = split.grey(index).to(model.device)
        reconstruction = model.decode(mean(model.encode(batch))).mean
        labels = ["original", split.treatment.label, "reconstruction"]
        images = torch.cat([original, batch.x, reconstruction])
        canvas = sheet(
            images,
            len(index),
            f"reconstructions of {split.name} images",
            labels,
            limits=split.treatment.limits,
        )
        arrays = to_numpy(index=index, original=original, x=batch.x, reconstruction=reconstruction)
        return Drawing(canvas, arrays)
