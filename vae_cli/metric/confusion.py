"""Which classes a model takes for which."""

from collections.abc import Mapping

from torch import Tensor
from torch.distributions import Distribution
from torch.nn.functional import one_hot

from vae_cli.data.batch import Batch
from vae_cli.metric.base import Metric, Moments
from vae_cli.model.labelled import LabelledModel
from vae_cli.options import PositiveInt, checked


class Confusion(Metric[LabelledModel]):
    """``confusion/3_as_5``: how many images of class 3 are taken for 5, the most probable class.

    Nothing where the model tells no labels, or has more classes than ``classes``, or where no
    image has a label.

    Args:
        classes: At most: the counts are as many as their square.
    """

    is_costly = True

    @checked
    def __init__(self, classes: PositiveInt = 20) -> None:
        self.classes = classes

    def values(self, model: LabelledModel, batch: Batch, q: Distribution) -> dict[str, Tensor]:
        """See the base class."""
        if not model.is_fitted:
            return {}
        if model.classes > self.classes:
            return {}
        count, is_labelled = model.classes, (batch.y >= 0).double()
        pair = batch.y.clamp_min(0) * count + model.classify(batch).argmax(-1)
        pairs = one_hot(pair, count**2) * is_labelled.unsqueeze(-1)
        return {"confusion": pairs.unflatten(-1, (count, count))}

    def result(self, moments: Mapping[str, Moments]) -> dict[str, float]:
        """See the base class."""
        found = moments.get("confusion")
        if found is None or not found.mean.any():
            return {}
        counts = (found.mean * found.images).round().int().tolist()
        return {
            f"confusion/{true}_as_{taken}": count
            for true, row in enumerate(counts)
            for taken, count in enumerate(row)
        }
