"""Numbers about an estimate of log p(x), and whether it is more than a lower bound."""

from collections.abc import Mapping

from torch import Tensor

from vae_cli.metric.base import Moments, Value, mean_and_error
from vae_cli.model.importance import FEWEST, HEAVY, EvidenceEstimate
from vae_cli.number import known

LOW = 10  # effective draws below which an image's estimate cannot be trusted
# Share of images with a heavy tail up to which the bias is stated. Draws from q alone can miss a
# mode without a sign of it; the wide parts of an adapted proposal find most.
TRUSTED_OF_Q, TRUSTED_ADAPTED = 0.05, 0.25
TOLERANCE = 0.1  # nats of bias up to which an estimate counts as log p(x)
DECLARED = known(
    "log_likelihood", "log_likelihood_mc_se", "log_likelihood_bias", "bits_per_dim",
    "effective_sample_size", "high_pareto_shape",
)  # fmt: skip
MEANS = ("effective_sample_size", "low_effective_sample_size", "high_pareto_shape")


def evidence_values(estimate: EvidenceEstimate) -> dict[str, Tensor]:
    """The values of each image whose moments ``evidence_numbers`` needs, each ``(B,)``."""
    is_unknown = estimate.bias.isnan() | estimate.pareto_shape.isnan()
    size = estimate.effective_sample_size
    return {
        "log_likelihood": estimate.log_likelihood,
        "log_likelihood_bias": estimate.bias.where(~is_unknown, 0),
        "log_likelihood_variance": estimate.variance.nan_to_num(),
        "log_likelihood_adapted": estimate.is_adapted,
        "effective_sample_size": size,
        "low_effective_sample_size": (size < LOW).double(),
        "high_pareto_shape": ((estimate.pareto_shape > HEAVY) | is_unknown).double(),
    }


def evidence_numbers(moments: Mapping[str, Moments], samples: int) -> dict[str, Value]:
    """log p(x), nats an image, with its errors and what they are worth.

    - ``log_likelihood_mc_se``: the standard error that the draws leave in the mean over images;
    - ``log_likelihood_bias``: about how far the mean lies below log p(x), with its standard error;
      null where too many images have weights with a heavy tail to tell;
    - ``log_likelihood_is_bound``: whether it is only a lower bound: the bias is unknown, or may be
      above a tenth of a nat;
    - ``effective_sample_size``, and the shares of images where it is below 10, and where the
      weights' Pareto shape is above 0.7;
    - ``log_likelihood_adapted``: the share of images for which the draws were adapted.

    Args:
        moments: Of ``evidence_values``.
        samples: S.
    """
    variance = moments["log_likelihood_variance"]
    adapted = moments["log_likelihood_adapted"].mean.item()
    trusted = TRUSTED_ADAPTED if adapted == 1 else TRUSTED_OF_Q
    is_known = moments["high_pareto_shape"].mean.item() <= trusted
    bias = mean_and_error("log_likelihood_bias", moments["log_likelihood_bias"])
    bias = bias if is_known else dict.fromkeys(bias)
    error = (variance.mean.item() / variance.images) ** 0.5 if samples >= FEWEST else None
    return {
        "log_likelihood_samples": samples,
        **mean_and_error("log_likelihood", moments["log_likelihood"]),
        "log_likelihood_mc_se": error,
        **bias,
        "log_likelihood_is_bound": _may_exceed(bias, TOLERANCE),
        "log_likelihood_adapted": adapted,
        **{name: moments[name].mean.item() for name in MEANS},
    }


def _may_exceed(bias: Mapping[str, Value], tolerance: float) -> bool:
    """Whether the bias is unknown, or two standard errors from it lies more than is allowed."""
    value, error = bias["log_likelihood_bias"], bias["log_likelihood_bias_se"]
    return value is None or abs(value) + 2 * (error or 0.0) > tolerance
