"""How well simple classifiers read the labels off the codes."""

from collections.abc import Mapping

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vae_cli.analysis.base import Analysis
from vae_cli.data.split import Split
from vae_cli.model.base import Model
from vae_cli.model.codes import codes_of
from vae_cli.options import PositiveInt, checked

ITERATIONS = 2000  # of the linear probe's optimizer at most


class Probe(Analysis):
    """Test accuracies of logistic regression and of nearest neighbours on the means of q(z|x).

    Both are fitted to standardized means of training images (of validation images where the
    training images are what is measured). Nothing where fewer than two classes have labels.

    Args:
        images: Images to fit to, at most, spread over their split.
        neighbors: How many of them vote.
    """

    @checked
    def __init__(self, images: PositiveInt = 10_000, neighbors: PositiveInt = 10) -> None:
        self.images, self.neighbors = images, neighbors

    def numbers(self, model: Model, splits: Mapping[str, Split], split: str) -> dict[str, float]:
        """See the base class."""
        fitted_to = splits["validation" if split == "train" else "train"]
        x, y = _labelled_codes(model, fitted_to, self.images)
        x_new, y_new = _labelled_codes(model, splits[split], len(splits[split]))
        if len(np.unique(y)) < 2 or len(y_new) == 0:
            return {}
        probes: dict[str, ClassifierMixin] = {
            "linear_probe": linear_probe(),
            "nearest_neighbors": KNeighborsClassifier(min(self.neighbors, len(y))),
        }
        numbers: dict[str, float] = {"probe_images": len(y)}
        for name, probe in probes.items():
            accuracy = accuracy_of(probe, x, y, x_new, y_new)
            numbers |= with_error(f"{name}_accuracy", accuracy, len(y_new))
        return numbers


def linear_probe() -> ClassifierMixin:
    """Logistic regression, with scikit-learn's own L2 penalty."""
    return LogisticRegression(max_iter=ITERATIONS)


def accuracy_of(
    probe: ClassifierMixin, x: np.ndarray, y: np.ndarray, x_new: np.ndarray, y_new: np.ndarray
) -> float:
    """Share of labels that a classifier tells rightly.

    Args:
        probe: Is fitted to standardized codes.
        x, y: Codes ``(N, D)`` and labels ``(N,)`` that it is fitted to.
        x_new, y_new: Those that it is to tell.
    """
    return float(make_pipeline(StandardScaler(), probe).fit(x, y).score(x_new, y_new))


def with_error(name: str, share: float, images: int) -> dict[str, float]:
    """A share of so many images and its standard error over images, sqrt(p (1 - p) / N)."""
    return {name: share, f"{name}_se": (share * (1 - share) / images) ** 0.5}


def _labelled_codes(model: Model, split: Split, images: int) -> tuple[np.ndarray, np.ndarray]:
    """E_q[z], ``(N, latent_dim)``, and the labels, ``(N,)``, of labelled images."""
    index = split.spread(images)
    index = index[split.images.labels[index] >= 0]
    codes = codes_of(model, split, index)
    return codes.float().cpu().numpy(), split.images.labels[index].cpu().numpy()
