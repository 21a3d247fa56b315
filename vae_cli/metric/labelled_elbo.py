"""The bound for images with their labels."""

from collections.abc import Mapping

from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.metric.base import Metric, Moments, Value, among, mean_and_error
from vae_cli.model.labelled import SemiSupervisedModel, of_labels
from vae_cli.number import known
from vae_cli.options import Draws, checked


class LabelledElbo(Metric[SemiSupervisedModel]):
    """The bound L(x, y) on log p(x, y), nats, over the images with a label.

    ``elbo``, beside it, is the one on log p(x), for which the label is not looked at.

    Args:
        samples: Draws of z an image.
    """

    is_costly = True
    declares = known("labelled_elbo")
    rivals = ("labelled_elbo",)

    @checked
    def __init__(self, samples: Draws = 10) -> None:
        self.samples = samples

    def values(
        self, model: SemiSupervisedModel, batch: Batch, q: Distribution
    ) -> dict[str, Tensor]:
        """See the base class."""
        terms = model.class_terms(batch, self.samples, closed_form_kl=False)
        is_labelled = (batch.y >= 0).double()
        bound = of_labels(terms.labelled_bound(), batch.y).double()
        return {"labelled": is_labelled, "labelled_elbo": bound * is_labelled}

    def result(self, moments: Mapping[str, Moments]) -> dict[str, Value]:
        """See the base class."""
        labelled = moments.get("labelled")
        if labelled is None or labelled.mean == 0:
            return {}
        return mean_and_error("labelled_elbo", among(moments["labelled_elbo"], labelled))
