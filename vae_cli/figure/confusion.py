"""Which classes a model takes for which, as a picture."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vae_cli.data.split import Split
from vae_cli.figure.base import ANY_KIND, Drawing, Figure, name_examples, to_numpy
from vae_cli.figure.classified import classified
from vae_cli.figure.ink import LABEL_SIZE, TITLE_SIZE, class_names, new_canvas, text_width
from vae_cli.figure.sheet import PAD, heads
from vae_cli.model.labelled import LabelledModel
from vae_cli.options import PositiveInt, checked

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

CELL = 0.34  # inches: four digits and their margin
SIDE = (2.4, 6.8)  # inches, least and greatest, of the matrix
NAMED = 20  # classes that have room for a name, and for a count in each cell
COUNT_SIZE = 7  # points
BAR = 0.1  # inches, width of the colour bar
DARK = 0.5  # share from which a count is written in white


class Confusion(Figure[LabelledModel]):
    """How many images of each class, row by row, are taken for which: the most probable one.

    The colour is the share of the row, so that rare classes are seen as well as frequent ones.
    The title has the error, the share of images that are taken for another class, with its
    standard error.

    Args:
        count: Number of images at most, spread over those whose label is known.
    """

    kinds = ANY_KIND
    during_training = True

    @checked
    def __init__(self, count: PositiveInt = 10_000) -> None:
        self.count = count

    def draw(self, model: LabelledModel, split: Split) -> Drawing:
        """See the base class."""
        index, y, each = classified(model, split, self.count)
        pair = y * model.classes + each.predicted
        counts = torch.bincount(pair, minlength=model.classes**2).view(model.classes, -1)
        error = 1 - each.is_right.mean().item()
        deviation = math.sqrt(error * (1 - error) / max(len(y) - 1, 1))
        title = f"Classes of {name_examples(split)}: error {error:.1%} ± {deviation:.1%}"
        canvas = _matrix(counts, class_names(split, range(model.classes)), title)
        return Drawing(canvas, to_numpy(counts=counts, index=index, y=y, predicted=each.predicted))


def _matrix(counts: Tensor, names: Sequence[str], title: str) -> "Canvas":
    """The picture of counts, ``(K, K)``.

    Placed by hand, as ``sheet`` is: for long names, and a title wider than the matrix.
    """
    classes = len(counts)
    side = min(max(classes * CELL, SIDE[0]), SIDE[1])
    shown = range(0, classes, -(-classes // NAMED))
    labels = [names[label] for label in shown]
    turn, foot = heads(labels, side / len(shown))
    line = LABEL_SIZE / 72 + PAD  # a line of text and what parts it from the next
    left = line + max(text_width(label, LABEL_SIZE) for label in labels) + 2 * PAD
    right = BAR + 4 * line
    middle, half = left + side / 2, text_width(title, TITLE_SIZE) / 2 + PAD
    left, right = left + max(0.0, half - middle), max(right, half - side / 2)
    bottom, top = line + foot + PAD, TITLE_SIZE / 72 + 3 * PAD
    width, height = left + side + right, bottom + side + top
    canvas = new_canvas((width, height))
    axes = canvas.add_axes((left / width, bottom / height, side / width, side / height))
    shares = counts / counts.sum(1, keepdim=True).clamp_min(1)
    image = axes.imshow(shares.numpy(), cmap="Blues", vmin=0, vmax=1, interpolation="none")
    if classes <= NAMED:
        for (row, column), share in _cells(shares):
            axes.text(
                column, row, str(int(counts[row, column])), ha="center", va="center",
                fontsize=COUNT_SIZE, color="white" if share > DARK else "black",
            )  # fmt: skip
    axes.set_xticks(shown, labels, fontsize=LABEL_SIZE, rotation=turn)
    axes.set_yticks(shown, labels, fontsize=LABEL_SIZE)
    axes.tick_params(length=0)
    axes.set_xlabel("predicted class", fontsize=LABEL_SIZE)
    axes.set_ylabel("true class", fontsize=LABEL_SIZE)
    axes.set_title(title, fontsize=TITLE_SIZE)
    start = (left + side + 2 * PAD) / width
    bar = canvas.add_axes((start, bottom / height, BAR / width, side / height))
    canvas.colorbar(image, cax=bar)
    bar.set_ylabel("share of the true class", fontsize=LABEL_SIZE)
    bar.tick_params(labelsize=COUNT_SIZE)
    return canvas


def _cells(shares: Tensor) -> list[tuple[tuple[int, int], float]]:
    """Row, column and share of the cells that are not empty."""
    return [
        ((row, column), float(shares[row, column])) for row, column in shares.nonzero().tolist()
    ]
