"""scikit-learn's classifiers, fitted without its own words about it."""

import warnings

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning

from vae_cli.errors import Notice


def fit_quietly(classifier: ClassifierMixin, x: np.ndarray, y: np.ndarray) -> ClassifierMixin:
    """Fits a classifier; a Notice says where its optimizer has stopped early.

    Args:
        classifier: What is fitted.
        x: Codes, ``(N, D)``.
        y: Labels, ``(N,)``; -1 where unknown.
    """
    with warnings.catch_warnings(record=True) as raised:
        # All codes may have labels: then self-training is its base classifier, as it should.
        warnings.filterwarnings("ignore", message="y contains no unlabeled samples")
        warnings.simplefilter("always", ConvergenceWarning)
        classifier.fit(x, y)
    for kind, each in {each.category: each for each in raised}.items():
        if issubclass(kind, ConvergenceWarning):
            name = type(classifier).__name__
            rule = f"{name} has not converged on {len(y)} codes: its accuracy may be a little low"
            warnings.warn(f"{rule}.", Notice, stacklevel=2)
        else:
            warnings.warn_explicit(each.message, kind, each.filename, each.lineno)
    return classifier
