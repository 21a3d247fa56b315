"""Where a model moves the points of the plane."""

import torch
from matplotlib.figure import Figure as Canvas
from torch import Tensor

from vae_cli.data.batch import Batch
from vae_cli.data.split import Split
from vae_cli.distribution.relations import mean
from vae_cli.figure.base import Drawing, Figure, Inapplicable, to_numpy
from vae_cli.figure.ink import LABEL_SIZE, TITLE_SIZE
from vae_cli.figure.points import SIDE, are_points
from vae_cli.model.base import Model
from vae_cli.options import PositiveInt, Tiles, checked

COLORS = "viridis"
MARGIN = 1.3  # times as far from 0 as the outermost point: what is far from the data tells most
POINT = "0.7"  # grey


class VectorField(Figure):
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

    during_training = True

    @checked
    def __init__(self, rows: Tiles = 25, count: PositiveInt = 2000) -> None:
        self.rows, self.count = rows, count

    def draw(self, model: Model, split: Split) -> Drawing:
        """See the base class."""
        if not are_points(split.images.shape):
            raise Inapplicable("needs points of the plane: data=circles or data=spiral")
        index = split.spread(self.count)
        data = split.batch(index).x.to(model.device)
        reach = MARGIN * float(data.abs().max())
        x = grid(self.rows, reach, model.device)
        reconstruction = reconstructed(model, x)
        title = f"reconstruction minus input, above {split.name} points"
        canvas = _arrows(x.flatten(1), reconstruction.flatten(1), data.flatten(1), reach, title)
        arrays = to_numpy(index=index, data=data, x=x, reconstruction=reconstruction)
        return Drawing(canvas, arrays)


def grid(rows: int, reach: float, device: torch.device) -> Tensor:
    """Points evenly apart from -reach to reach in both coordinates, ``(rows², 1, 1, 2)``."""
    values = torch.linspace(-reach, reach, rows, device=device)
    return torch.cartesian_prod(values, values).view(-1, 1, 1, 2)


def reconstructed(model: Model, x: Tensor) -> Tensor:
    """The mean of p(x|z) at z = E_q[z] for inputs x, both ``(B, C, H, W)``."""
    index = torch.arange(len(x), device=x.device)
    batch = Batch(x, x, torch.full_like(index, -1), index)
    return model.decode(mean(model.encode(batch))).mean


def _arrows(x: Tensor, reconstruction: Tensor, data: Tensor, reach: float, title: str) -> Canvas:
    """Arrows from x towards its reconstruction, above the data: all shape ``(N, 2)``."""
    moves = reconstruction - x
    length = moves.norm(dim=1, keepdim=True)
    spacing = 2 * reach / len(x) ** 0.5
    shown = moves * (spacing / length.clamp_min(1e-12)).clamp_max(1)
    canvas = Canvas(figsize=(1.5 * SIDE, 1.3 * SIDE), dpi=200, layout="constrained")
    axes = canvas.add_subplot()
    axes.scatter(data[:, 0].cpu(), data[:, 1].cpu(), s=5, color=POINT, linewidths=0)
    arrows = axes.quiver(
        *x.cpu().T, *shown.cpu().T, length.flatten().cpu(), cmap=COLORS, angles="xy",
        scale_units="xy", scale=1, width=0.003,
    )  # fmt: skip
    arrows.set_clim(0, max(float(length.max()), 1e-6))
    bar = canvas.colorbar(arrows, shrink=0.7)
    bar.set_label("distance from input to reconstruction", fontsize=LABEL_SIZE)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    axes.set_title(title, fontsize=TITLE_SIZE)
    for ticks in (axes, bar.ax):
        ticks.tick_params(labelsize=LABEL_SIZE)
    return canvas
