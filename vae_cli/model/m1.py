"""A VAE's features, and a classifier that learns from few of them."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from sklearn.base import ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import SVC
from torch import Tensor
from torch.distributions import Distribution

from vae_cli import noise
from vae_cli.data.batch import Batch
from vae_cli.data.split import Split
from vae_cli.distribution.relations import mean
from vae_cli.errors import InvalidOption
from vae_cli.model.base import ElboTerms, LatentVariableModel
from vae_cli.model.codes import codes_of
from vae_cli.model.fitting import fit_quietly
from vae_cli.model.labelled import LabelledModel, fit_classifier
from vae_cli.options import PositiveInt, checked

ITERATIONS = 2000  # of a linear classifier's optimizer, at most
NEIGHBORS = 10  # that vote
UNLABELLED = 10_000  # images at most that self-training looks at
SURE = 0.9  # q(y|z) from which it takes its own word for a label


class Classifier(NamedTuple):
    """A classifier of scikit-learn's.

    Attributes:
        make: From the number of images with a label.
        uses_unlabelled: Whether it learns from images without a label, too.
        separates_classes: Whether it looks for borders between classes, and so needs two.
    """

    make: Callable[[int], ClassifierMixin]
    uses_unlabelled: bool = False
    separates_classes: bool = True


def _logistic() -> LogisticRegression:
    return LogisticRegression(max_iter=ITERATIONS)


CLASSIFIERS = {
    "svm": Classifier(lambda images: SVC(break_ties=True)),
    "logistic": Classifier(lambda images: _logistic()),
    "knn": Classifier(
        lambda images: KNeighborsClassifier(min(NEIGHBORS, images)), separates_classes=False
    ),
    "self_training": Classifier(
        lambda images: SelfTrainingClassifier(_logistic(), threshold=SURE, max_iter=None),
        uses_unlabelled=True,
    ),
}


class M1(LabelledModel):
    r"""p(z) p(x|z) with q(z|x), and a classifier of the means of q(z|x).

    (Kingma et al. 2014, arXiv:1406.5298, section 2.1.) The features come from all images, the
    classifier from those with a label; it is fitted when training has ended. Features go into it
    as they are: the prior has given them a scale, and dimensions that the model does not use stay
    small.

    Args:
        features: The model that is trained.
        classes: K.
        classifier: ``svm`` (radial basis functions; q(y|x) is the softmax of its margins, which
            puts the classes in order but is no calibrated probability), ``logistic`` regression,
            ``knn`` (ten neighbours), or ``self_training``: logistic regression that takes its own
            word, where it is 90 % sure, for the labels of up to 10,000 images without one, again
            and again.
    """

    @checked
    def __init__(
        self,
        features: LatentVariableModel,
        classes: PositiveInt,
        classifier: Literal["svm", "self_training", "logistic", "knn"] = "svm",
    ) -> None:
        super().__init__()
        self.features, self.latent_dim, self.classes = features, features.latent_dim, classes
        self.kind = CLASSIFIERS[classifier]
        if self.kind.separates_classes and classes < 2:
            remedy = "Try {classifier}=knn, or {}=vae."
            raise InvalidOption("classifier", classifier, "needs images of two classes", remedy)
        self.fitted: ClassifierMixin | None = None
        self.is_fitted = False  # not before there are features

    @property
    def layers(self) -> Sequence[int]:
        """See the base class."""
        return self.features.layers

    def prior(self) -> Distribution:
        """See the base class."""
        return self.features.prior()

    def encode(self, batch: Batch) -> Distribution:
        """See the base class."""
        return self.features.encode(batch)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Distribution:
        """See the base class."""
        return self.features.decode(z)

    def terms(
        self, batch: Batch, samples: int, closed_form_kl: bool, q: Distribution | None = None
    ) -> ElboTerms:
        """See the base class."""
        return self.features.terms(batch, samples, closed_form_kl, q)

    def classify(self, batch: Batch) -> Tensor:
        """See the base class."""
        assert self.fitted is not None
        codes = mean(self.encode(batch))
        scores = _scores(self.fitted, codes.detach().double().cpu().numpy())
        known = torch.from_numpy(np.asarray(self.fitted.classes_))
        log_label = torch.full((len(codes), self.classes), -torch.inf, dtype=torch.float64)
        log_label[:, known] = torch.from_numpy(scores).log_softmax(-1)
        return log_label.to(codes)


@fit_classifier.register
def _(model: M1, train: Split) -> None:
    labels = train.images.labels
    index = (labels >= 0).nonzero().flatten()
    known = len(index)
    if model.kind.uses_unlabelled:
        others = (labels < 0).nonzero().flatten()
        spread = torch.linspace(0, len(others) - 1, min(len(others), UNLABELLED)).long()
        index = torch.cat([index, others[spread.to(others.device)]])
    with noise.stream(model.device, "classifier", train.name):  # for encoders that draw
        codes = codes_of(model, train, index).double().cpu().numpy()
    model.fitted = fit_quietly(model.kind.make(known), codes, labels[index].cpu().numpy())
    model.is_fitted = True


def _scores(classifier: ClassifierMixin, codes: np.ndarray) -> np.ndarray:
    """What softmax makes q(y|z) of, ``(B, K)``."""
    if not isinstance(classifier, SVC):
        with np.errstate(divide="ignore"):  # neighbours may not have seen a class at all
            return np.log(classifier.predict_proba(codes))
    margins = classifier.decision_function(codes)
    return margins if margins.ndim == 2 else np.stack([-margins, margins], 1) / 2
