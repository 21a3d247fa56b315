"""Test images and what the model makes of them."""

import torch
from torch import Tensor

from vae_cli.data.split import Split
from vae_cli.distribution.relations import mean
from vae_cli.figure.base import Drawing, Figure, name_examples, to_numpy
from vae_cli.figure.grid import Grid
from vae_cli.model.base import Model
from vae_cli.options import Tiles, checked


class Reconstructions(Figure[Model]):
    """The original image, what was modelled of it if that differs, and the mean of p(x|z).

    That is at z = E_q[z].

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
        rows = given_rows(split, original, batch.x) | {"reconstruction": reconstruction}
        title = f"Reconstructions of {name_examples(split)}: means of p(x|z) at z = E[z|x]"
        images = torch.cat([*rows.values()])
        grid = Grid(title, images, len(index), [*rows], limits=split.treatment.limits)
        return grid.drawing(
            to_numpy(index=index, original=original, x=batch.x, reconstruction=reconstruction)
        )


def given_rows(split: Split, original: Tensor, x: Tensor) -> dict[str, Tensor]:
    """Images by the labels of their rows: as they are stored, and as modelled where that differs.

    Args:
        split: That they are from.
        original: As stored, ``(B, C, H, W)``.
        x: As modelled, likewise.
    """
    same = torch.equal(original, x)
    return {"original": original} | ({} if same else {split.treatment.label: x})
