"""How well a model tells the labels of images, and how well it knows how well."""

from collections.abc import Mapping

from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.metric.base import Metric, Moments, Value, among, mean_and_error
from vae_cli.model.calibration import calibration_error, calibration_gaps, verdicts
from vae_cli.model.labelled import LabelledModel
from vae_cli.number import known
from vae_cli.options import PositiveInt, checked


class Classification(Metric[LabelledModel]):
    r"""Numbers of q(y|x) over the images with a label; nothing where the model tells none (yet).

    - ``error``: share of images whose most probable class is another, with its standard error;
    - ``calibration_error``: the expected calibration error, :math:`\sum_b \frac{n_b}{n}
      |\mathrm{accuracy}_b - \mathrm{confidence}_b|` over bins of equal width of the confidence,
      the largest q(y|x) (Guo et al. 2017, arXiv:1706.04599, equation 3); it is above 0 by chance
      alone, the more the fewer images there are.

    Args:
        bins: Of the confidence.
    """

    is_costly = False
    declares = known("error", "calibration_error")

    @checked
    def __init__(self, bins: PositiveInt = 15) -> None:
        self.bins = bins

    def values(self, model: LabelledModel, batch: Batch, q: Distribution) -> dict[str, Tensor]:
        """See the base class."""
        if not model.is_fitted:
            return {}
        is_labelled = (batch.y >= 0).double()
        each = verdicts(model.classify(batch), batch.y)
        return {
            "labelled": is_labelled,
            "error": (1 - each.is_right) * is_labelled,
            "calibration_gap": calibration_gaps(each, self.bins) * is_labelled.unsqueeze(-1),
        }

    def result(self, moments: Mapping[str, Moments]) -> dict[str, Value]:
        """See the base class."""
        labelled = moments.get("labelled")
        if labelled is None or labelled.mean == 0:
            return {}
        gaps = among(moments["calibration_gap"], labelled)
        return {
            "labelled_images": round(labelled.mean.item() * labelled.images),
            **mean_and_error("error", among(moments["error"], labelled)),
            "calibration_error": calibration_error(gaps.mean),
        }
