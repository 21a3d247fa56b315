"""What an image would be, were it of another class."""

import torch

from vae_cli.data.split import Split
from vae_cli.distribution.relations import mean
from vae_cli.figure.base import Drawing, Figure, name_examples, to_numpy
from vae_cli.figure.grid import Grid
from vae_cli.figure.ink import class_names
from vae_cli.figure.styles import some_classes
from vae_cli.model.labelled import SemiSupervisedModel
from vae_cli.options import Tiles, checked


class Analogies(Figure[SemiSupervisedModel]):
    r"""An image, then the mean of p(x|y,z) for every y, at the z of the image.

    That z is the mean of :math:`q(z|x, \hat y)` at the most probable class :math:`\hat y`: what
    the model infers from the image alone (Kingma, Rezende, Mohamed & Welling 2014,
    arXiv:1406.5298, figure 1b).

    Args:
        count: Number of images, spread over the split.
        classes: Shown at most; of more, some evenly apart.
    """

    during_training = False

    @checked
    def __init__(self, count: Tiles = 10, classes: Tiles = 20) -> None:
        self.count, self.classes = count, classes

    def draw(self, model: SemiSupervisedModel, split: Split) -> Drawing:
        """See the base class."""
        y = some_classes(model, self.classes)
        index = split.spread(self.count)
        batch = split.batch(index).to(model.device)
        q = model.encode(batch)
        z = mean(q.most_probable())
        x = model.decode(z.unsqueeze(1).expand(-1, len(y), -1), y).mean
        original = split.grey(index).to(model.device)
        images = torch.cat([original.unsqueeze(1), x], 1)
        names = class_names(split, y.tolist())
        whose = name_examples(split).capitalize()
        title = f"{whose} redrawn in each class, with their own z: means of p(x|y,z)"
        heads, limits = ["image", *names], split.treatment.limits
        grid = Grid(title, images.flatten(0, 1), 1 + len(y), heads=heads, limits=limits)
        predicted = q.log_label.argmax(-1)
        arrays = to_numpy(
            index=index, original=original, input=batch.input, predicted=predicted, z=z, y=y, x=x
        )  # fmt: skip
        return grid.drawing(arrays)
