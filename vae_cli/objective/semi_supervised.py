"""The bound where some labels are known, with a classification term."""

from typing import Annotated

import torch
from torch import Tensor

from vae_cli.data.batch import Batch
from vae_cli.model.labelled import SemiSupervisedModel, of_labels
from vae_cli.number import known
from vae_cli.objective.base import Loss, SingleObjective
from vae_cli.options import Above, AtMost, NonNegativeFloat, PositiveInt, checked


class SemiSupervised(SingleObjective[SemiSupervisedModel]):
    r"""Maximizes the bound of images with and without labels, and log q(y|x) of known labels.

    .. math:: J = \sum_{labelled} L(x, y) + \sum_{unlabelled} U(x)
                  + \alpha\, E_{labelled}[\log q(y|x)], \qquad \alpha = 0.1\, N

    (Kingma et al. 2014, arXiv:1406.5298, equations 8 and 9.) N is the number of all training
    images, with and without labels. The expectation is a mean over the labelled ones, so each of
    them weighs :math:`0.1\, N / N_{labelled}` against one bound: 50 for 100 labels among 50,000
    images. Were N the number of labelled ones, the term would be weaker by N / N_labelled.

    The loss is :math:`-J / N` of a batch with a fixed share of labelled images, each kind weighed
    as it counts in the whole set: the share changes the gradient's noise, not its mean.

    Args:
        labelled_images: Number of training images with a label.
        train_images: N.
        samples: Draws of z an image and class.
        closed_form_kl: Use the formula of the KL in the loss, as far as there is one: less noise
            in the gradient. The bounds that are reported come from the draws.
        classification_weight: α / N.
        labelled_fraction: Share of a batch that is images with a label.
    """

    monitor = "elbo"
    reparameterizes = True
    declares = known(
        "elbo", "reconstruction", "kl", "entropy", "labelled_elbo", "label_log_likelihood",
    )  # fmt: skip
    partial = frozenset({"labelled_elbo", "label_log_likelihood"})

    @checked
    def __init__(
        self,
        labelled_images: PositiveInt,
        train_images: PositiveInt,
        samples: PositiveInt = 1,
        closed_form_kl: bool = True,
        classification_weight: NonNegativeFloat = 0.1,
        labelled_fraction: Annotated[float, Above(0), AtMost(1)] = 0.1,
    ) -> None:
        super().__init__()
        self.samples, self.closed_form_kl = samples, closed_form_kl
        self.labelled_share = labelled_images / train_images
        self.classification_weight = classification_weight
        self.labelled_fraction = labelled_fraction
        self.term_weights = {"classification_weight": classification_weight / self.labelled_share}

    def forward(self, model: SemiSupervisedModel, batch: Batch, weight: float) -> Loss:
        """See the base class. Images without a label have no ``labelled_elbo``: NaN."""
        terms = model.class_terms(batch, self.samples, self.closed_form_kl)
        is_labelled = batch.y >= 0
        log_q_label = of_labels(terms.log_label, batch.y)
        labelled = of_labels(terms.labelled_bound(weight), batch.y)
        unlabelled = terms.unlabelled_bound(weight).mean(0)
        objective = (
            self.labelled_share * _mean_of(labelled, is_labelled)
            + (1 - self.labelled_share) * _mean_of(unlabelled, ~is_labelled)
            + self.classification_weight * _mean_of(log_q_label, is_labelled)
        )
        with torch.no_grad():
            drawn = terms.by_draws()
            elbo = drawn.unlabelled_bound().mean(0)
            reconstruction = terms.mean_over_labels(terms.log_likelihood).mean(0)
            reported = {
                "elbo": elbo,
                "reconstruction": reconstruction,
                "kl": reconstruction - elbo,
                "entropy": terms.entropy.mean(0),
                "labelled_elbo": _only(of_labels(drawn.labelled_bound(), batch.y), is_labelled),
                "label_log_likelihood": _only(log_q_label, is_labelled),
            }
        return -objective, reported


def _mean_of(values: Tensor, mask: Tensor) -> Tensor:
    """The mean over the masked images; 0 without any."""
    return torch.where(mask, values, 0).sum() / mask.sum().clamp_min(1)


def _only(values: Tensor, mask: Tensor) -> Tensor:
    return torch.where(mask, values, torch.nan)
