"""The grid of Rezende & Mohamed's figure 3: densities, and flows of more and more maps beside."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from torch import Tensor

from vae_cli.approximation.measure import POINTS, REACH
from vae_cli.energy.rezende import EDGE
from vae_cli.glyphs import drawable

INCH = 2.1  # width of a panel
COLORS = "cividis"  # for colour-blind readers; equal steps of density look equal, in grey too


class FitColumn(NamedTuple):
    """What stands below one head.

    Attributes:
        head: Of the column.
        log_density: On the grid, one for each row, ``(POINTS, POINTS, E)``.
        notes: One for each row.
    """

    head: str
    log_density: Tensor
    notes: Sequence[str]


def draw_fits(names: Sequence[str], columns: Sequence[FitColumn]) -> Canvas:
    """Draws a row for each density.

    Args:
        names: Of the rows.
        columns: The densities themselves first; a row's colours are those of its first panel.
    """
    shape = (len(names), len(columns))
    size = (INCH * shape[1] + 0.4, INCH * shape[0] + 0.3)
    canvas = Canvas(figsize=size, dpi=150, layout="constrained")
    panels = canvas.subplots(*shape, squeeze=False, sharex=True, sharey=True)
    for c, column in enumerate(columns):
        panels[0, c].set_title(column.head, fontsize=11)
        for row, panel in enumerate(panels[:, c]):
            brightest = columns[0].log_density[..., row].max().exp().item()
            _show(panel, column.log_density[..., row].exp().numpy(), brightest, column.notes[row])
    for row, name in enumerate(drawable(name.replace("_", " ") for name in names)):
        panels[row, 0].set_ylabel(f"{name}\n$z_2$", fontsize=10)
    for panel in panels[-1]:
        panel.set_xlabel("$z_1$", fontsize=10)
    return canvas


def _show(panel: Axes, density: np.ndarray, brightest: float, note: str) -> None:
    half = REACH / (POINTS - 1)  # a point of the grid is the middle of a pixel
    edges = (-REACH - half, REACH + half) * 2
    panel.imshow(
        density, origin="lower", extent=edges, cmap=COLORS, vmin=0, vmax=brightest,
        interpolation="bicubic",
    )  # fmt: skip
    panel.set(xlim=(-EDGE, EDGE), ylim=(-EDGE, EDGE), aspect="equal")
    panel.set_xticks([-3, 0, 3])
    panel.set_yticks([-3, 0, 3])
    panel.tick_params(labelsize=8, length=2)
    panel.text(
        0.97, 0.97, note, transform=panel.transAxes, color="white", fontsize=8,
        ha="right", va="top",
    )  # fmt: skip
