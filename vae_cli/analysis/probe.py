"""How well simple classifiers read the labels off the codes."""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from vae_cli.analysis.base import Analysis
from vae_cli.data.split import Split
from vae_cli.distribution.relations import MEAN_DRAWS
from vae_cli.model.base import Model
from vae_cli.model.codes import codes_and_variances
from vae_cli.model.fitting import fit_quietly
from vae_cli.number import known
from vae_cli.options import AtLeast, Draws, PositiveInt, checked

ITERATIONS = 2000  # of the linear probe's optimizer at most


class Probe(Analysis[Model]):
    r"""Test accuracies of logistic regression and of nearest neighbours on the means of q(z|x).

    Both are fitted to labelled training images (to validation images where the training images are
    what is measured). Nothing where fewer than two classes have labels.

    - ``probe_images``: the labelled images that they are fitted to;
    - ``probe_code_error``: where the means have no formula, the standard error that their draws
      leave, :math:`\sqrt{\sum_d E_x[\mathrm{se}_d^2] / \sum_d \mathrm{Var}_x(E_q[z_d])}`.

    Args:
        images: Images to fit to, at most, spread over the labelled ones of their split.
        neighbors: How many of them vote.
        samples: Draws of z for each image, in pairs, where the means have no formula.
    """

    declares = known("linear_probe_accuracy", "nearest_neighbors_accuracy", "probe_code_error")

    @checked
    def __init__(
        self,
        images: PositiveInt = 10_000,
        neighbors: PositiveInt = 10,
        samples: Annotated[Draws, AtLeast(4)] = MEAN_DRAWS,
    ) -> None:
        self.images, self.neighbors, self.samples = images, neighbors, samples

    def numbers(
        self, model: Model, splits: Mapping[str, Split], split: str
    ) -> dict[str, float | None]:
        """See the base class."""
        fitted_to = splits["validation" if split == "train" else "train"]
        known = _labelled_codes(model, fitted_to, self.images, self.samples)
        new = _labelled_codes(model, splits[split], len(splits[split]), self.samples)
        if len(np.unique(known.y)) < 2 or len(new.y) == 0:
            return {}
        probes: dict[str, ClassifierMixin] = {
            "linear_probe": linear_probe(),
            "nearest_neighbors": KNeighborsClassifier(min(self.neighbors, len(known.y))),
        }
        numbers: dict[str, float | None] = {"probe_images": len(known.y)}
        if new.error > 0:
            numbers["probe_code_error"] = new.error
        for name, probe in probes.items():
            accuracy = accuracy_of(probe, known.x, known.y, new.x, new.y)
            numbers |= share_and_error(f"{name}_accuracy", accuracy, len(new.y))
        return numbers


def linear_probe() -> ClassifierMixin:
    """Logistic regression, with scikit-learn's own L2 penalty."""
    return LogisticRegression(max_iter=ITERATIONS)


def accuracy_of(
    probe: ClassifierMixin, x: np.ndarray, y: np.ndarray, x_new: np.ndarray, y_new: np.ndarray
) -> float:
    """Share of labels that a classifier predicts correctly.

    The classifier sees :math:`(x - c) / s`: c is the mean of the codes that it is fitted to, and
    s, one number for all dimensions, the root of their mean variance. Encoders differ in the scale
    of their codes, but dimensions that one does not use stay small.

    Args:
        probe: The classifier.
        x, y: Codes ``(N, D)`` and labels ``(N,)`` that it is fitted to.
        x_new, y_new: Codes and labels that it is measured on.
    """
    centre = x.mean(0)
    scale = float(np.sqrt(x.var(0).mean())) or 1.0
    return float(fit_quietly(probe, (x - centre) / scale, y).score((x_new - centre) / scale, y_new))


def share_and_error(name: str, share: float, images: int) -> dict[str, float | None]:
    """A share of so many images and its standard error over images, sqrt(p (1 - p) / N).

    The error of a single image is unknown.
    """
    error = (share * (1 - share) / images) ** 0.5 if images > 1 else None
    return {name: share, f"{name}_se": error}


class _Codes(NamedTuple):
    """Of labelled images."""

    x: np.ndarray  # (N, latent_dim): E_q[z]
    y: np.ndarray  # (N,): labels
    error: float  # standard error of x by its draws, relative to the spread of x


def _labelled_codes(model: Model, split: Split, images: int, draws: int) -> _Codes:
    """Codes of labelled images of a split, at most so many."""
    index = split.spread_labelled(images)
    found = codes_and_variances(model, split, index, draws)
    codes, variances = (part.double().cpu().numpy() for part in found)
    labels = split.images.labels[index].cpu().numpy()
    spread = codes.var(0).sum() if len(codes) else 0.0
    error = float(np.sqrt(variances.mean(0).sum() / spread)) if spread > 0 else 0.0
    return _Codes(codes.astype(np.float32), labels, error)
