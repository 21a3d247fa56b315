"""Where the images of each class lie in latent space."""

from typing import TYPE_CHECKING, Literal

from torch import Tensor

from vae_cli.data.split import Split
from vae_cli.figure.base import ANY_KIND, Drawing, Figure, name_examples, to_numpy
from vae_cli.figure.ink import LABEL_SIZE, PALETTE, class_names, new_canvas, text_width
from vae_cli.figure.projection import PROJECTIONS, TITLES, Plane, check_installed
from vae_cli.model.base import LatentVariableModel, Model
from vae_cli.model.codes import codes_of
from vae_cli.options import PositiveInt, checked

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 60  # of the histogram of a one-dimensional z
# How far axes reach at least from the middle of the points: half a standard deviation of the prior,
# so that a collapsed posterior is seen to be one; codes without a prior may have any scale.
PRIOR_REACH, CODE_REACH = 0.5, 1e-6
MARGIN = 1.05  # times as far as the outermost point


class LatentMap(Figure[Model]):
    """The posterior means of a split's images, or their codes, coloured by label.

    A z of two dimensions is shown as it is, one of a single dimension as a histogram.

    Args:
        count: Number of images at most, spread over the split.
        projection: How a z of more dimensions is brought into a plane.
    """

    kinds = ANY_KIND
    during_training = False

    @checked
    def __init__(
        self, count: PositiveInt = 5000, projection: Literal["pca", "tsne", "umap"] = "pca"
    ) -> None:
        check_installed(projection)
        self.count, self.projection = count, projection

    def draw(self, model: Model, split: Split) -> Drawing:
        """See the base class."""
        index = split.spread(self.count)
        z = codes_of(model, split, index)
        y = split.images.labels[index].cpu()
        has_prior = isinstance(model, LatentVariableModel)
        least = PRIOR_REACH if has_prior else CODE_REACH
        title = f"Codes of {name_examples(split)}{': means of q(z|x)' if has_prior else ''}"
        labels = y.unique().tolist()
        has_legend = max(labels) >= 0 and len(labels) <= len(PALETTE)
        names = class_names(split, labels) if has_legend else []
        legend = max((text_width(name, LABEL_SIZE) for name in names), default=0)
        canvas = new_canvas((5.4 + legend, 5), layout="constrained")
        axes = canvas.add_subplot()
        arrays = to_numpy(z=z, label=y, index=index)
        if model.latent_dim == 1:
            _show_line(axes, z.squeeze(1).cpu(), y, split, least)
        elif model.latent_dim == 2:
            plane = Plane(z.cpu(), ("$z_1$", "$z_2$"), has_units=True)
            _show_plane(axes, plane, y, split, least)
        else:
            plane = PROJECTIONS[self.projection](z)
            _show_plane(axes, plane._replace(points=plane.points.cpu()), y, split, least)
            arrays |= to_numpy(point=plane.points)
            title += f", projected by {TITLES[self.projection]}"
        axes.set_title(title, fontsize=10)
        if has_legend:
            axes.legend(title="class", markerscale=2, fontsize=LABEL_SIZE, loc="center left",
                        bbox_to_anchor=(1, 0.5), frameon=False)  # fmt: skip
        return Drawing(canvas, arrays)


def _color(label: int) -> str:
    return "black" if label < 0 else PALETTE[label % len(PALETTE)]


def _show_plane(axes: "Axes", plane: Plane, y: Tensor, split: Split, least: float) -> None:
    """Points in a plane; axes reach so far from their middle at least."""
    size = 6 if len(y) > 1000 else 14
    labels = y.unique().tolist()  # for the legend alone
    for label, name in zip(labels, class_names(split, labels), strict=True):
        axes.scatter([], [], s=size, color=_color(label), label=name)
    # As they come, not label by label, which would hide one below the other.
    colors = [_color(label) for label in y.tolist()]
    axes.scatter(plane.points[:, 0], plane.points[:, 1], s=size, c=colors, linewidths=0)
    axes.set(xlabel=plane.names[0], ylabel=plane.names[1], aspect="equal")
    if plane.has_units:
        (left, right), (low, high) = _ranges(plane.points, least)
        axes.set(xlim=(left, right), ylim=(low, high))
    else:
        axes.set(xticks=[], yticks=[])


def _show_line(axes: "Axes", z: Tensor, y: Tensor, split: Split, least: float) -> None:
    """Points on a line, as ``_show_plane`` has them."""
    labels = y.unique().tolist()
    ((low, high),) = _ranges(z.unsqueeze(1), least)
    axes.hist(
        [z[y == label].numpy() for label in labels], bins=BINS, range=(low, high), stacked=True,
        color=[_color(label) for label in labels], label=class_names(split, labels),
    )  # fmt: skip
    axes.set(xlabel="$z$", ylabel="images")


def _ranges(points: Tensor, least: float) -> list[tuple[float, float]]:
    """Ranges of equal length of the axes, which hold the points, ``(N, D)``."""
    low, high = points.min(0).values, points.max(0).values
    reach = max(least, MARGIN * float((high - low).max()) / 2)
    return [(middle - reach, middle + reach) for middle in ((low + high) / 2).tolist()]
