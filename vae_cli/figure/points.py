"""Points of the plane, drawn as such."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from vae_cli.figure.ink import FRAME_WIDTH, LABEL_SIZE, PALETTE, TITLE_SIZE, new_canvas, text_width

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

SIDE = 3.6  # inches, of a panel
MARGIN = 1.05  # times as far as the outermost point
ACROSS = 5  # panels in a row, at most
TICKS = 5  # steps of an axis, at most: the numbers of a tiny range are long
MARK = 0.5  # inches, of a legend beside its words
DOT = 5  # pixels, the radius of a point in an animation


class Panel(NamedTuple):
    """Points that are drawn into one pair of axes.

    Attributes:
        title: Above them.
        points: Shape ``(N, 2)``.
        names: Of each point, of which a legend tells the colours; maybe none.
    """

    title: str
    points: Tensor
    names: Sequence[str] = ()


def in_plane(panels: Sequence[Panel], title: str = "") -> "Canvas":
    """A picture of points, all panels on the same axes.

    Args:
        panels: From the left.
        title: Above all, if any.
    """
    columns = min(len(panels), ACROSS)
    rows = -(-len(panels) // columns)
    names = [*dict.fromkeys(name for panel in panels for name in panel.names)]
    colors = {name: PALETTE[n % len(PALETTE)] for n, name in enumerate(names)}
    reach = MARGIN * max(_reach(panel.points) for panel in panels)
    legend = max((text_width(name, LABEL_SIZE) + MARK for name in names), default=0)
    above = title or panels[0].title if len(panels) == 1 else title
    width = max(columns * SIDE + legend, text_width(above, TITLE_SIZE) + TITLE_SIZE / 36)
    size = (width, rows * SIDE)
    canvas = new_canvas(size, layout="constrained")
    canvas.suptitle(above, fontsize=TITLE_SIZE)
    for number, panel in enumerate(panels):
        axes = canvas.add_subplot(rows, columns, number + 1)
        x, y = panel.points.float().cpu().T
        ink = [colors[name] for name in panel.names] or PALETTE[0]
        axes.scatter(x, y, s=8 if len(x) > 100 else 16, c=ink, linewidths=0)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        if len(panels) > 1:
            axes.set_title(panel.title, fontsize=LABEL_SIZE)
        axes.set_xlabel("$x_1$", fontsize=LABEL_SIZE)
        axes.set_ylabel("$x_2$", fontsize=LABEL_SIZE)
        axes.locator_params(nbins=TICKS)
        axes.tick_params(labelsize=LABEL_SIZE)
    for name, color in colors.items():  # for the legend alone
        axes.scatter([], [], s=16, color=color, label=name)
    if names:
        axes.legend(fontsize=LABEL_SIZE, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return canvas


def plane_frames(pictures: Sequence[Tensor], columns: int) -> list[np.ndarray]:
    """Frames of points on the same axes, so many of one colour: each ``(H, W, 3)``, uint8.

    Args:
        pictures: Points, each shape ``(N, 2)``.
        columns: Points of one colour.
    """
    reach = MARGIN * max(map(_reach, pictures))
    frames = []
    for points in pictures:
        image = Image.new("RGB", (FRAME_WIDTH, FRAME_WIDTH), "white")
        pen = ImageDraw.Draw(image)
        for number, (x, y) in enumerate((points / reach).tolist()):
            center = ((1 + x) * FRAME_WIDTH / 2, (1 - y) * FRAME_WIDTH / 2)
            pen.circle(center, DOT, PALETTE[number // columns % len(PALETTE)])
        frames.append(np.asarray(image))
    return frames


def _reach(points: Tensor) -> float:
    """The largest coordinate, or a drawable one where there are no points."""
    return max(float(points.abs().max()), 1e-6)
