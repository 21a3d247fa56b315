"""The plane of a two-dimensional latent space, once for every class."""

from vae_cli.data.split import Split
from vae_cli.figure.base import Drawing, Figure, Inapplicable, to_numpy
from vae_cli.figure.ink import class_names
from vae_cli.figure.manifold import quantile_grid, scale_of
from vae_cli.figure.panels import sheets
from vae_cli.figure.styles import some_classes
from vae_cli.model.labelled import SemiSupervisedModel
from vae_cli.options import Tiles, checked


class StyleManifold(Figure[SemiSupervisedModel]):
    """Means of p(x|y,z) for each class y on a grid of z: the quantiles of N(0, 1).

    (Kingma, Rezende, Mohamed & Welling 2014, arXiv:1406.5298, figure 1a.) For two latent
    dimensions.

    Args:
        rows: Rows, and columns, of the grid of a class.
        classes: Shown at most; of more, some evenly apart.
    """

    during_training = True
    starts_from_prior = True

    @checked
    def __init__(self, rows: Tiles = 10, classes: Tiles = 20) -> None:
        self.rows, self.classes = rows, classes

    def draw(self, model: SemiSupervisedModel, split: Split) -> Drawing:
        """See the base class."""
        if model.latent_dim != 2:
            raise Inapplicable("needs two latent dimensions")
        y = some_classes(model, self.classes)
        z = quantile_grid(self.rows, model.device)
        x = model.decode(z.expand(len(y), -1, -1), y.unsqueeze(1)).mean
        names = class_names(split, y.tolist())
        title = "What the decoder draws for each class and z, in equal steps of prior probability"
        panels = [*zip(names, x, strict=True)]
        canvas = sheets(panels, self.rows, title, limits=split.treatment.limits, scale=scale_of(z))
        return Drawing(canvas, to_numpy(z=z, y=y, x=x))
