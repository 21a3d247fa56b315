"""How often a model is right that says how sure it is."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from vae_cli.data.split import Split
from vae_cli.figure.base import ANY_KIND, Drawing, Figure, name_examples, to_numpy
from vae_cli.figure.classified import classified
from vae_cli.figure.ink import LABEL_SIZE, PALETTE, TITLE_SIZE, new_canvas
from vae_cli.model.calibration import Verdicts, bin_of, calibration_error, calibration_gaps
from vae_cli.model.labelled import LabelledModel
from vae_cli.options import PositiveInt, checked

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

POINT, FILL = PALETTE[0], PALETTE[1]


class Reliability(Figure[LabelledModel]):
    """Accuracy against confidence, the largest q(y|x), in bins of equal width.

    Below the diagonal a model is too sure, above it not sure enough. The bars are Wilson's
    interval at one standard error, which stays sensible for a few images all of them right
    (Wilson 1927, Probable inference, the law of succession, and statistical inference). The title
    has the expected calibration error of the metric ``classification``; below is how many images
    there are of which confidence.

    Args:
        bins: Of the confidence.
        count: Number of images at most, spread over those whose label is known.
    """

    kinds = ANY_KIND
    during_training = True

    @checked
    def __init__(self, bins: PositiveInt = 15, count: PositiveInt = 10_000) -> None:
        self.bins, self.count = bins, count

    def draw(self, model: LabelledModel, split: Split) -> Drawing:
        """See the base class."""
        index, _, each = classified(model, split, self.count)
        table = tabulated(each, self.bins)
        error = calibration_error(calibration_gaps(each, self.bins).mean(0))
        title = (
            f"Accuracy against confidence, {name_examples(split)}\n"
            f"expected calibration error {error:.3f}"
        )
        arrays = {
            "bin_images": table.images,
            "bin_accuracy": table.accuracy,
            "bin_confidence": table.confidence,
            "calibration_error": np.array(error),
        }
        images = to_numpy(index=index, is_right=each.is_right, confidence=each.confidence)
        return Drawing(_diagram(table, title), arrays | images)


class Bins(NamedTuple):
    """Of the images in each bin, float64; NaN where there are none."""

    images: np.ndarray  # (bins,): their number
    accuracy: np.ndarray  # (bins,): share of them that are right
    confidence: np.ndarray  # (bins,): the mean
    reach: np.ndarray  # (2, bins): from the accuracy to the ends of Wilson's interval


def tabulated(each: Verdicts, bins: int) -> Bins:
    """Verdicts bin by bin."""
    index = bin_of(each.confidence, bins)
    images = torch.bincount(index, minlength=bins).double()
    accuracy, confidence = (
        torch.bincount(index, values, minlength=bins) / images
        for values in (each.is_right, each.confidence)
    )
    # Both ends are at the same distance from a point that lies between the accuracy and a half.
    center = (accuracy + 1 / (2 * images)) / (1 + 1 / images)
    half = (accuracy * (1 - accuracy) / images + 1 / (4 * images**2)).sqrt() / (1 + 1 / images)
    reach = torch.stack([accuracy - center + half, center + half - accuracy]).clamp_min(0)
    return Bins(*(value.numpy() for value in (images, accuracy, confidence, reach)))


def _diagram(table: Bins, title: str) -> "Canvas":
    canvas = new_canvas((3.6, 4.6), layout="constrained")
    upper, lower = canvas.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
    filled = table.images > 0
    upper.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--", zorder=1)
    upper.errorbar(
        table.confidence[filled], table.accuracy[filled], yerr=table.reach[:, filled],
        fmt="o", markersize=4, elinewidth=1, color=POINT,
    )  # fmt: skip
    upper.set(xlim=(0, 1.02), ylim=(-0.02, 1.02))  # no mark is cut in half
    upper.set_ylabel("accuracy", fontsize=LABEL_SIZE)
    upper.set_title(title, fontsize=TITLE_SIZE)
    bins = len(table.images)
    lower.bar(
        np.arange(bins) / bins, table.images, 1 / bins, align="edge", color=FILL,
        edgecolor="white", linewidth=0.5,
    )  # fmt: skip
    lower.set_ylabel("images", fontsize=LABEL_SIZE)
    lower.set_xlabel("confidence: probability of the predicted class", fontsize=LABEL_SIZE)
    for axes in (upper, lower):
        axes.tick_params(labelsize=LABEL_SIZE)
        axes.spines[["top", "right"]].set_visible(False)
    return canvas
