"""What each dimension of z is about."""

import torch

from vae_cli.data.split import Split
from vae_cli.distribution.relations import mean
from vae_cli.example import is_point
from vae_cli.figure.base import Drawing, Figure, name_examples, to_numpy
from vae_cli.figure.ends import pick
from vae_cli.figure.grid import Grid
from vae_cli.figure.sheet import animation
from vae_cli.model.base import LatentVariableModel, Model
from vae_cli.model.codes import codes_of
from vae_cli.options import PositiveFloat, Tiles, checked

COUNT = 2000  # images at most by which dimensions are ranked


class Traversals(Figure[Model]):
    r"""Means of p(x|z) as one dimension of z moves and the others stay where an image has them.

    Rows are dimensions, those that tell images apart most first: sorted by
    :math:`\mathrm{Var}_x\, E[z_d|x]`, which stands beside them.

    Args:
        image: The image whose code the rows pass through: a position in the split, or the path of
            an image file.
        dimensions: Rows, at most.
        steps: Columns.
        reach: From -reach to reach the dimension goes, in standard deviations of the prior; of a
            model without one, in those of the codes about their mean.
    """

    during_training = False

    @checked
    def __init__(
        self,
        image: int | str = 0,
        dimensions: Tiles = 10,
        steps: Tiles = 11,
        reach: PositiveFloat = 2.5,
    ) -> None:
        self.image, self.dimensions, self.steps, self.reach = image, dimensions, steps, reach

    def draw(self, model: Model, split: Split) -> Drawing:
        """See the base class."""
        codes = codes_of(model, split, split.spread(COUNT))
        variance = codes.var(0, correction=0)  # Var_x E[z|x]
        order = variance.argsort(descending=True)[: self.dimensions]
        center, unit, units = torch.zeros_like(variance), torch.ones_like(variance), ""
        if not isinstance(model, LatentVariableModel):  # codes have no scale but their own
            center, unit, units = codes.mean(0), variance.sqrt(), " standard deviations"
        source = pick(split, "image", self.image)
        z_0 = mean(model.encode(source.batch.to(model.device)))
        values = torch.linspace(-self.reach, self.reach, self.steps, device=model.device)
        z = z_0.repeat(len(order), self.steps, 1)
        for row, dimension in enumerate(order.tolist()):
            z[row, :, dimension] = center[dimension] + values * unit[dimension]
        x = model.decode(z).mean
        labels = [f"$z_{{{d + 1}}}$  ({variance[d]:.2f})" for d in order.tolist()]
        whose = "image" if isinstance(self.image, str) else name_examples(split).removesuffix("s")
        title = (
            f"{whose.capitalize()} {source.name} as one dimension of z changes from "
            f"{_tick(-self.reach)} to {_tick(self.reach)}{units}\n"
            f"in brackets: variance of the codes; {len(order)} of {len(variance)} dimensions"
        )
        limits = split.treatment.limits
        original = source.original.to(x)
        blank = original if is_point(split.images.shape) else torch.full_like(x[:1, 0], limits[1])
        first = torch.cat([original, blank.expand(len(order) - 1, *x.shape[2:])]).unsqueeze(1)
        images, heads = torch.cat([first, x], 1), ["original", *map(_tick, values.tolist())]
        grid = Grid(title, images.flatten(0, 1), 1 + self.steps, labels, heads, limits)
        columns = min(len(order), 5)
        there_and_back = [*range(self.steps), *range(self.steps - 2, 0, -1)]
        names = ", ".join(f"z{d + 1}" for d in order.tolist())
        pictures = [(x[:, step], f"{names}: {values[step]:+.2f}{units}") for step in there_and_back]
        arrays = to_numpy(
            dimension=order, variance=variance, value=values, original=original, z=z, x=x
        )
        return grid.drawing(arrays, animation(pictures, columns, limits=limits))


def _tick(value: float) -> str:
    return f"{round(value, 2):g}"
