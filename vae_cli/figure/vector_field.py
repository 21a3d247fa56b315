"""Where a model moves the points of the plane."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vae_cli.data.batch import Batch
from vae_cli.data.split import Split
from vae_cli.distribution.relations import mean
from vae_cli.figure.base import Content, Drawing, Figure, name_examples, to_numpy
from vae_cli.figure.ink import LABEL_SIZE, TITLE_SIZE, new_canvas
from vae_cli.figure.points import SIDE
from vae_cli.model.base import Model
from vae_cli.options import PositiveInt, Tiles, checked

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas
    from matplotlib.quiver import Quiver

COLORS = "viridis"
MARGIN = 1.3  # times as far from 0 as the outermost point: what is far from the data tells most
POINT = "0.7"  # grey
ACROSS = 3  # panels in a row, at most
BAR = 0.8  # inches, of the scale of colours


@dataclass(frozen=True)
class Field(Content):
    """Points of the plane and where a model moves them, all shape ``(N, 2)``.

    Attributes:
        title: Above all.
        x: The points of a grid.
        reconstruction: Where the model moves them.
        data: Points of the split.
    """

    title: str
    x: Tensor
    reconstruction: Tensor
    data: Tensor

    @property
    def distance(self) -> Tensor:
        """How far each point is moved, ``(N,)``."""
        return (self.reconstruction - self.x).norm(dim=1)

    @property
    def reach(self) -> float:
        """The largest coordinate of the grid."""
        return float(self.x.abs().max())

    def stacked(self, names: Sequence[str], others: Sequence["Field"]) -> "Canvas":
        """Panels of one size, on one scale of distances."""
        fields = [self, *others]
        columns = min(len(fields), ACROSS)
        rows = -(-len(fields) // columns)
        size = (1.3 * SIDE * columns + BAR, (1.3 * SIDE * rows) + 0.3)
        canvas = new_canvas(size, layout="constrained")
        canvas.suptitle(self.title, fontsize=TITLE_SIZE)
        longest = max(max(float(each.distance.max()) for each in fields), 1e-6)
        reach = max(each.reach for each in fields)
        panels = []
        for number, (name, field) in enumerate(zip(names, fields, strict=True)):
            axes = canvas.add_subplot(rows, columns, number + 1)
            arrows = field.show(axes, longest, reach)
            axes.set_title(name, fontsize=LABEL_SIZE)
            panels.append(axes)
        bar = canvas.colorbar(arrows, ax=panels, shrink=0.7)
        bar.set_label("distance from input to reconstruction", fontsize=LABEL_SIZE)
        bar.ax.tick_params(labelsize=LABEL_SIZE)
        return canvas

    def show(self, axes: "Axes", longest: float, reach: float) -> "Quiver":
        """Draws the arrows above the data.

        Args:
            axes: To draw into.
            longest: The distance at the end of the scale of colours.
            reach: Of both axes.
        """
        moves, length = self.reconstruction - self.x, self.distance.unsqueeze(1)
        spacing = 2 * self.reach / len(self.x) ** 0.5
        shown = moves * (spacing / length.clamp_min(1e-12)).clamp_max(1)
        axes.scatter(self.data[:, 0].cpu(), self.data[:, 1].cpu(), s=5, color=POINT, linewidths=0)
        arrows = axes.quiver(
            *self.x.cpu().T, *shown.cpu().T, length.flatten().cpu(), cmap=COLORS, angles="xy",
            scale_units="xy", scale=1, width=0.003,
        )  # fmt: skip
        arrows.set_clim(0, longest)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        axes.set_xlabel("$x_1$", fontsize=LABEL_SIZE)
        axes.set_ylabel("$x_2$", fontsize=LABEL_SIZE)
        axes.tick_params(labelsize=LABEL_SIZE)
        return arrows


class VectorField(Figure[Model]):
    r"""Reconstruction minus input on a grid, above the points of a split.

    An arrow goes from a point x towards :math:`r(x)`, the mean of p(x|z) at z = E_q[z]. It ends
    there unless the next point of the grid is nearer; its colour says how far it is.

    Of an autoencoder that removes Gaussian noise of small standard deviation :math:`\sigma` as well
    as can be, it is the score of the data's density but for a factor,
    :math:`r(x) - x = \sigma^2 \nabla_x \log p(x) + o(\sigma^2)` (Alain & Bengio 2014,
    arXiv:1211.4246, theorem 1), and points to where data are.

    Args:
        rows: Rows, and columns, of the grid.
        count: Points of the split at most, spread over it.
    """

    kinds = frozenset({"point"})
    during_training = True

    @checked
    def __init__(self, rows: Tiles = 25, count: PositiveInt = 2000) -> None:
        self.rows, self.count = rows, count

    def draw(self, model: Model, split: Split) -> Drawing:
        """See the base class."""
        index = split.spread(self.count)
        data = split.batch(index).x.to(model.device)
        reach = MARGIN * float(data.abs().max())
        x = grid(self.rows, reach, model.device)
        reconstruction = reconstructed(model, x)
        title = f"Arrows: from a point to its reconstruction. Grey: {name_examples(split)}"
        field = Field(title, x, reconstruction, data)
        arrays = to_numpy(index=index, data=data, x=x, reconstruction=reconstruction)
        return Drawing(field.stacked([""], []), arrays, content=field)


def grid(rows: int, reach: float, device: torch.device) -> Tensor:
    """Points evenly apart from -reach to reach in both coordinates, ``(rows², 2)``."""
    values = torch.linspace(-reach, reach, rows, device=device)
    return torch.cartesian_prod(values, values)


def reconstructed(model: Model, x: Tensor) -> Tensor:
    """The mean of p(x|z) at z = E_q[z] for inputs x, both ``(B, *shape)``."""
    index = torch.arange(len(x), device=x.device)
    batch = Batch(x, x, torch.full_like(index, -1), index)
    return model.decode(mean(model.encode(batch))).mean
