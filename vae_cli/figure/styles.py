"""Images the model makes up of every class."""

import torch
from torch import Size, Tensor

from vae_cli.data.split import Split
from vae_cli.figure.base import Drawing, Figure, to_numpy
from vae_cli.figure.grid import Grid
from vae_cli.figure.ink import class_names
from vae_cli.model.labelled import SemiSupervisedModel
from vae_cli.options import Tiles, checked


def some_classes(model: SemiSupervisedModel, most: int) -> Tensor:
    """At most so many classes, evenly apart: ``(min(K, most),)``."""
    count = min(model.classes, most)
    return torch.linspace(0, model.classes - 1, count, device=model.device).long()


class Styles(Figure[SemiSupervisedModel]):
    """Means of p(x|y,z): a row is of one z from the prior, a column of one class y.

    What a row has in common is what z knows and y does not, such as slant and width of a digit.

    Args:
        rows: Draws of z.
        classes: Columns at most; of more classes, some evenly apart.
    """

    during_training = True
    starts_from_prior = True

    @checked
    def __init__(self, rows: Tiles = 10, classes: Tiles = 20) -> None:
        self.rows, self.classes = rows, classes

    def draw(self, model: SemiSupervisedModel, split: Split) -> Drawing:
        """See the base class."""
        y = some_classes(model, self.classes)
        z = model.latent(model.prior().sample(Size([self.rows]))).z
        x = model.decode(z.unsqueeze(1).expand(-1, len(y), -1), y).mean
        names = class_names(split, y.tolist())
        title = "Means of p(x|y,z): each column is a class, each row a z drawn from the prior"
        grid = Grid(title, x.flatten(0, 1), len(y), heads=names, limits=split.treatment.limits)
        return grid.drawing(to_numpy(z=z, y=y, x=x))
