"""How well a model tells the labels of images, and how well it knows how well."""

from collections.abc import Mapping

from torch import Tensor
from torch.distributions import Distribution
from torch.nn.functional import one_hot

from vae_cli.data.batch import Batch
from vae_cli.metric.base import Metric, Moments, among, mean_and_error
from vae_cli.model.base import LatentVariableModel
from vae_cli.model.labelled import LabelledModel
from vae_cli.options import PositiveInt, checked


class Classification(Metric):
    r"""Numbers of q(y|x) over the images with a label; nothing where the model tells no labels.

    - ``error``: share of images whose most probable class is another, with its standard error;
    - ``calibration_error``: the expected calibration error, :math:`\sum_b \frac{n_b}{n}
      |\mathrm{accuracy}_b - \mathrm{confidence}_b|` over bins of equal width of the confidence,
      the largest q(y|x) (Guo et al. 2017, arXiv:1706.04599, equation 3); it is above 0 by chance
      alone, the more the fewer images there are.

    Args:
        bins: Of the confidence.
    """

    is_costly = False

    @checked
    def __init__(self, bins: PositiveInt = 15) -> None:
        self.bins = bins

    def values(
        self, model: LatentVariableModel, batch: Batch, q: Distribution
    ) -> dict[str, Tensor]:
        """See the base class."""
        if not (isinstance(model, LabelledModel) and model.is_fitted):
            return {}
        log_label = model.classify(batch).double()
        is_labelled = (batch.y >= 0).double()
        confidence, predicted = log_label.exp().max(-1)
        is_right = (predicted == batch.y).double()
        gaps = (is_right - confidence) * is_labelled
        return {
            "labelled": is_labelled,
            "error": (1 - is_right) * is_labelled,
            # Σ accuracy - confidence over a bin's images is all that its gap takes.
            "calibration_gap": gaps.unsqueeze(-1) * one_hot(self._bin(confidence), self.bins),
        }

    def _bin(self, confidence: Tensor) -> Tensor:
        return (confidence * self.bins).long().clamp_max(self.bins - 1)

    def result(self, moments: Mapping[str, Moments]) -> dict[str, float]:
        """See the base class."""
        labelled = moments.get("labelled")
        if labelled is None or labelled.mean == 0:
            return {}
        gaps = among(moments["calibration_gap"], labelled).mean
        return {
            "labelled_images": round(labelled.mean.item() * labelled.images),
            **mean_and_error("error", among(moments["error"], labelled)),
            "calibration_error": gaps.abs().sum().item(),
        }
