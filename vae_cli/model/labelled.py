"""Models in which an image has a label."""

from abc import abstractmethod
from functools import singledispatch
from typing import NamedTuple

from torch import Tensor

from vae_cli.data.batch import Batch
from vae_cli.data.split import Split
from vae_cli.distribution.labelled import LabelledDistribution
from vae_cli.model.base import ElboTerms, LatentVariableModel, Model


class ClassTerms(NamedTuple):
    """The terms of the bound for each of K classes and S draws of z for each, in nats."""

    log_likelihood: Tensor  # (S, B, K): log p(x|y,z), or a bound on it
    kl: Tensor  # (S, B, K): KL(q(z|x,y)‖p(z)), by formula or by the draws
    log_label: Tensor  # (S, B, K): log q(y|x)
    log_label_prior: Tensor  # (K,): log p(y)
    drawn_kl: Tensor  # (S, B, K): KL(q(z|x,y)‖p(z)) by the draws

    def by_draws(self) -> "ClassTerms":
        """The same with the KL by the draws: a bound of less noise, a gradient of more."""
        return self._replace(kl=self.drawn_kl)

    @property
    def label_kl(self) -> Tensor:
        """KL(q(y|x)‖p(y)), nats, ``(S, B)``."""
        return self.mean_over_labels(self.log_label - self.log_label_prior)

    @property
    def entropy(self) -> Tensor:
        """H(q(y|x)), nats, ``(S, B)``."""
        return -self.mean_over_labels(self.log_label)

    def labelled_bound(self, weight: float = 1.0) -> Tensor:
        """log p(x|y,z) - weight * KL(q(z|x,y)‖p(z)) + log p(y), nats, ``(S, B, K)``.

        At weight 1 its mean over draws is L(x, y), the bound on log p(x, y)
        (Kingma et al. 2014, arXiv:1406.5298, equation 6).
        """
        return self.log_likelihood - weight * self.kl + self.log_label_prior

    def unlabelled_bound(self, weight: float = 1.0) -> Tensor:
        r"""The bound for an image whose label is unknown, nats, ``(S, B)``.

        .. math:: \sum_y q(y|x) (\log p(x|y,z) - w\, \mathrm{KL}(q(z|x,y) \| p(z)))
                  - w\, \mathrm{KL}(q(y|x) \| p(y))

        At weight 1 it is :math:`\sum_y q(y|x) L(x, y) + H(q(y|x))`, whose mean over draws is a
        bound on log p(x) (Kingma et al. 2014, equation 7). The sum is exact.
        """
        given_label = self.mean_over_labels(self.log_likelihood - weight * self.kl)
        return given_label - weight * self.label_kl

    def mean_over_labels(self, values: Tensor) -> Tensor:
        """Σ_y q(y|x) of values ``(S, B, K)``: ``(S, B)``."""
        return (self.log_label.exp() * values).sum(-1)


class LabelledModel(LatentVariableModel):
    """A model that tells the label of an image.

    Attributes:
        classes: K.
        is_fitted: Whether ``classify`` can be called yet.
    """

    description = "a model that predicts labels (m1, m2, m1_m2)"

    classes: int
    is_fitted: bool = True

    @abstractmethod
    def classify(self, batch: Batch) -> Tensor:
        """log q(y|x), nats, ``(B, K)``."""


class SemiSupervisedModel(LabelledModel):
    """A model whose bound has a term for each class.

    Its ``encode`` gives q(y|x) q(z|x,y), its ``prior`` p(y) p(z): events ``(latent_dim + K,)`` of z
    and the label. Its ``decode`` takes such, or z and labels.
    """

    description = "a semi-supervised model (m2, m1_m2)"

    @abstractmethod
    def encode(self, batch: Batch) -> LabelledDistribution:
        """q(y|x) q(z|x,y): batch shape ``(B,)``, event shape ``(latent_dim + K,)``."""

    @abstractmethod
    def class_terms(self, batch: Batch, samples: int, closed_form_kl: bool) -> ClassTerms:
        """The terms of the bound for every class, so many draws of z an image and class.

        Args:
            batch: B images.
            samples: S.
            closed_form_kl: Take KL(q(z|x,y)‖p(z)) from its formula, as far as there is one.
        """

    @abstractmethod
    def terms_of_labels(self, batch: Batch, y: Tensor) -> ElboTerms:
        """The terms for one draw of z for each label, log p(x|y,z), log p(z), log q(z|x,y).

        Args:
            batch: B images.
            y: Labels, ``(S, B)``.
        """


@singledispatch
def fit_classifier(model: Model, train: Split) -> None:
    """Fits what is learnt once training has ended: nothing in most models.

    A model that has such a part registers it beside its class.

    Args:
        model: Trained; changed in place.
        train: The training images.
    """


def of_labels(values: Tensor, y: Tensor) -> Tensor:
    """The mean over draws of values ``(S, B, K)`` at each image's label ``(B,)``: ``(B,)``.

    Of an image without a label, -1, it is that of class 0.
    """
    return values.mean(0).gather(-1, y.clamp_min(0).unsqueeze(-1)).squeeze(-1)
