"""Whether a model is as often right about labels as it says it is."""

from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import one_hot


class Verdicts(NamedTuple):
    """What a model says of the labels of B images."""

    predicted: Tensor  # (B,): the most probable class
    confidence: Tensor  # (B,): its probability q(y|x), float64
    is_right: Tensor  # (B,): whether it is the label, float64


def verdicts(log_label: Tensor, y: Tensor) -> Verdicts:
    """The verdicts of log q(y|x), nats, ``(B, K)``, on images with labels y, ``(B,)``."""
    confidence, predicted = log_label.double().exp().max(-1)
    return Verdicts(predicted, confidence, (predicted == y).double())


def bin_of(confidence: Tensor, bins: int) -> Tensor:
    """Which of so many bins of equal width over [0, 1] each confidence is in, int64."""
    return (confidence * bins).long().clamp_max(bins - 1)


def calibration_gaps(each: Verdicts, bins: int) -> Tensor:
    """What each image adds to the gap between accuracy and confidence of its bin, ``(B, bins)``."""
    gap = each.is_right - each.confidence
    return gap.unsqueeze(-1) * one_hot(bin_of(each.confidence, bins), bins)


def calibration_error(mean_gaps: Tensor) -> float:
    r"""The expected calibration error from the means over images of ``calibration_gaps``.

    .. math:: \sum_b \frac{n_b}{n} |\mathrm{accuracy}_b - \mathrm{confidence}_b|

    (Guo et al. 2017, arXiv:1706.04599, equation 3.) The share of a bin cancels with the divisor of
    its means, so that no bin needs its number of images.
    """
    return mean_gaps.abs().sum().item()
