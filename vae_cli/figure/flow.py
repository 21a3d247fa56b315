"""How a flow shapes a posterior, map by map."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Size, Tensor

from vae_cli.data.split import Split
from vae_cli.distribution.flow import FlowDistribution
from vae_cli.figure.base import ANY_KIND, Drawing, Figure, Inapplicable, name_examples, pixels
from vae_cli.figure.ink import new_canvas
from vae_cli.figure.sheet import as_images, describe_limits, tile
from vae_cli.model.base import Model
from vae_cli.options import Draws, Tiles, checked

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

MESH = 100  # points to a side
MESH_REACH = 4.5  # standard deviations of the base that the mesh covers
BINS = 64  # to a side of a histogram of draws
BLUR = 1.0  # bins
LEVELS = np.linspace(0.03, 1, 9)  # of the contours, parts of a panel's peak
FRAMES = 20  # of an animation, about
CHUNK = 2000  # draws carried through the flow at once
TAIL = 0.003  # of the draws that axes may leave out on each side
PANEL_INCH = 1.3


class Densities(NamedTuple):
    """Densities of B images' z in a plane after S of the maps, each on its own mesh.

    Attributes:
        points: Shape ``(S, B, G, G, 2)``.
        values: Shape ``(S, B, G, G)``.
    """

    points: np.ndarray
    values: np.ndarray


class Flow(Figure[Model]):
    """The densities q_0 to q_K of images' posteriors in the first two dimensions of z.

    Exact where z has two dimensions, else by draws. All panels have the same axes;
    colours go from nothing to the peak of each panel.

    Args:
        count: Number of images, spread over the split, a row each.
        panels: Number of densities shown of each, at least the first and the last.
        draws: Of z, where it has more than two dimensions.
    """

    kinds = ANY_KIND
    during_training = False

    @checked
    def __init__(self, count: Tiles = 4, panels: Tiles = 6, draws: Draws = 100_000) -> None:
        self.count, self.panels, self.draws = count, panels, draws

    def draw(self, model: Model, split: Split) -> Drawing:
        """See the base class."""
        batch = split.batch(split.spread(self.count)).to(model.device)
        q = model.encode(batch)
        if not isinstance(q, FlowDistribution):
            raise Inapplicable("needs a posterior that is a flow, such as planar")
        if model.latent_dim < 2:
            raise Inapplicable("needs two latent dimensions at least")
        last = len(q.path(q.base.mean)) - 1
        panels, moving = evenly_apart(last, self.panels), evenly_apart(last, FRAMES)
        stages = sorted({*panels, *moving})
        is_exact = model.latent_dim == 2
        z = carried_draws(q, stages, CHUNK if is_exact else self.draws)
        boxes = enclosing_squares(z)
        densities = exact_densities(q, stages) if is_exact else histograms(z, boxes)
        method = "exact" if is_exact else f"from {self.draws:,} draws"
        title = f"How the flow shapes q(z|x) of {name_examples(split)} (densities {method})"
        images = [tile(x.unsqueeze(0), 1, split.treatment.limits) for x in as_images(batch.x)]
        title += describe_limits(split.treatment.limits)
        box = common_square(boxes)
        canvas = _sheet(densities, box, images, {k: stages.index(k) for k in panels}, title)
        frames = [_frame(densities, box, stages.index(k), k) for k in moving]
        repeats = max(1, FRAMES // len(frames))
        arrays = {
            "index": batch.index.cpu().numpy(), "map": np.array(stages),
            "z": densities.points, "density": densities.values,
        }  # fmt: skip
        return Drawing(canvas, arrays, [frame for frame in frames for _ in range(repeats)])


def evenly_apart(last: int, count: int) -> list[int]:
    """At most ``count`` of the numbers 0 to ``last``, evenly apart, always with both ends."""
    return np.unique(np.linspace(0, last, max(2, count)).round().astype(int)).tolist()


def exact_densities(q: FlowDistribution, stages: list[int]) -> Densities:
    r"""The densities after some of the maps, for a z of two dimensions.

    A mesh of points of the base is carried along. The density where a point arrives is
    :math:`q_0(z_0) / |\det \partial z_k / \partial z_0|`, the Jacobian by automatic
    differentiation: no map has to be inverted, and the mesh is fine where the density is large.

    Args:
        q: Batch shape ``(B,)``.
        stages: Numbers of maps.
    """
    line = torch.linspace(-MESH_REACH, MESH_REACH, MESH).to(q.base.loc)
    across, down = torch.meshgrid(line, line, indexing="xy")
    mesh = torch.stack([across, down], -1).unsqueeze(2)  # (G, G, 1, 2)
    z_0 = (q.base.loc + q.base.scale * mesh).detach()
    with torch.enable_grad():
        z_0.requires_grad_()
        path = q.path(z_0)
        determinants = [_determinant(path[k], z_0) for k in stages]
    z_0 = z_0.detach()
    values = torch.stack([q.base.log_prob(z_0).exp() / each for each in determinants])
    points = torch.stack([path[k].detach() for k in stages])
    return Densities(
        points.permute(0, 3, 1, 2, 4).cpu().numpy(), values.permute(0, 3, 1, 2).cpu().numpy()
    )


def _determinant(z_k: Tensor, z_0: Tensor) -> Tensor:
    """``|det|`` of the Jacobian at each point of a plane, ``(*,)``: points do not mix."""
    a, b = (
        torch.autograd.grad(z_k[..., d].sum(), z_0, retain_graph=True)[0].unbind(-1)
        for d in range(2)
    )
    return (a[0] * b[1] - a[1] * b[0]).abs()


def carried_draws(q: FlowDistribution, stages: list[int], draws: int) -> np.ndarray:
    """The first two dimensions of draws after some of the maps, ``(S, N, B, 2)``."""
    parts = []
    for start in range(0, draws, CHUNK):
        path = q.path(q.base.rsample(Size([min(CHUNK, draws - start)])))
        parts.append(torch.stack([path[k][..., :2] for k in stages]).cpu())
    return torch.cat(parts, 1).numpy()


def enclosing_squares(z: np.ndarray) -> np.ndarray:
    """Lower and upper ends of each image's axes, ``(B, 2, 2)``: end, then dimension.

    Args:
        z: Draws, ``(S, N, B, 2)``: all but the few outermost after each map are inside.
    """
    low, high = np.quantile(z, [TAIL, 1 - TAIL], axis=1)  # each (S, B, 2)
    low, high = low.min(0), high.max(0)
    half = 0.6 * (high - low).max(-1, keepdims=True)
    center = (low + high) / 2
    return np.stack([center - half, center + half], 1)


def common_square(boxes: np.ndarray) -> np.ndarray:
    """The smallest square that holds each image's, ``(2, 2)``: end, then dimension."""
    low, high = boxes[:, 0].min(0), boxes[:, 1].max(0)
    center, half = (low + high) / 2, (high - low).max() / 2
    return np.stack([center - half, center + half])


def histograms(z: np.ndarray, boxes: np.ndarray) -> Densities:
    """The densities that draws ``(S, N, B, 2)`` have in the boxes, slightly blurred."""
    from scipy.ndimage import gaussian_filter

    stages, count, images, _ = z.shape
    points = np.empty((stages, images, BINS, BINS, 2))
    values = np.empty((stages, images, BINS, BINS))
    for b, box in enumerate(boxes):
        edges = np.linspace(box[0], box[1], BINS + 1).T  # of each dimension
        centers = (edges[:, 1:] + edges[:, :-1]) / 2
        points[:, b] = np.stack(np.meshgrid(*centers, indexing="xy"), -1)
        area = np.diff(edges[0])[0] * np.diff(edges[1])[0]
        for s in range(stages):
            inside = np.histogram2d(z[s, :, b, 0], z[s, :, b, 1], bins=[*edges])[0].T
            values[s, b] = gaussian_filter(inside / (count * area), BLUR)
    return Densities(points, values)


def _sheet(
    densities: Densities, box: np.ndarray, images: list[np.ndarray], panels: dict[int, int],
    title: str,
) -> "Canvas":  # fmt: skip
    rows, columns = len(images), len(panels) + 1
    size = (PANEL_INCH * columns, PANEL_INCH * rows + 0.5)
    canvas = new_canvas(size, layout="constrained")
    grid = canvas.subplots(rows, columns, squeeze=False)
    for b, image in enumerate(images):
        grid[b, 0].imshow(image, interpolation="none")
        grid[b, 0].set_axis_off()
        for axes, stage in zip(grid[b, 1:], panels.values(), strict=True):
            _show(axes, densities, stage, b, box)
            axes.label_outer()
        grid[b, 1].tick_params(labelleft=True)
        grid[b, 1].set_ylabel("$z_2$", fontsize=8, labelpad=0)
    for axes in grid[-1, 1:]:
        axes.set_xlabel("$z_1$", fontsize=8, labelpad=0)
    for axes, name in zip(grid[0], ["$x$", *map(_after, panels)], strict=True):
        axes.set_title(name, fontsize=9)
    canvas.suptitle(title, fontsize=9)
    return canvas


def _frame(densities: Densities, box: np.ndarray, stage: int, name: int) -> np.ndarray:
    count = densities.points.shape[1]
    canvas = new_canvas((1.6 * count, 2), dpi=100, layout="constrained")
    grid = canvas.subplots(1, count, squeeze=False)[0]
    for b, axes in enumerate(grid):
        _show(axes, densities, stage, b, box)
    canvas.suptitle(_after(name), fontsize=10)
    return pixels(canvas, 100)


def _after(count: int) -> str:
    """Which density a panel shows: after so many maps."""
    return f"$q_{{{count}}}$, after map {count}" if count else "$q_0$, before the flow"


def _show(axes: "Axes", densities: Densities, stage: int, image: int, box: np.ndarray) -> None:
    from matplotlib.ticker import MaxNLocator

    x, y = densities.points[stage, image, ..., 0], densities.points[stage, image, ..., 1]
    value = densities.values[stage, image]
    axes.contourf(x, y, value / value.max(), LEVELS, cmap="viridis_r", extend="neither")
    (left, low), (right, high) = box
    axes.set(xlim=(left, right), ylim=(low, high), aspect="equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(3))
    axes.tick_params(labelsize=6, length=2)
