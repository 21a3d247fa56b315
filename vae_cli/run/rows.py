"""Which numbers are shown of a run and of an evaluation, and what not to trust among them."""

import math
from collections.abc import Mapping
from typing import Any

from vae_cli.run.recorded import is_number

Results = Mapping[str, Any]
Row = tuple[str, str, str]  # key, unit, meaning

PARTS = (  # of the bound: of models whose only latent variable is z, and of those with a label
    ("E log p(x|z)", "KL(q(z|x)‖p(z))"),
    ("E log p(x|y,z), or a bound", "KL of y and z together"),
)
OF_CODE = "log p(x|z), z the code"  # the reconstruction where there is no bound
TRUSTED_SHARE = 0.01  # of the images may have a low effective sample size without a warning
TOLERANCE = 1e-6  # nats between two ways to the same density, in float64


def rows_of_run(results: Results) -> list[Row]:
    """What is shown of ``results.json``, in order."""
    samples = results.get("test/log_likelihood_samples")
    reconstruction, kl = PARTS["test/entropy" in results]
    reconstruction = reconstruction if "test/elbo" in results else OF_CODE
    return [
        ("test/elbo", "nats", "bound on log p(x)"),
        ("test/reconstruction", "nats", reconstruction),
        ("test/denoising", "nats", "… z of the corrupted x"),
        ("test/code_l1", "", "‖z‖₁"),
        ("test/squared_jacobian_norm", "", "‖∂z/∂x‖²"),
        ("test/kl", "nats", kl),
        ("test/labelled_elbo", "nats", "bound on log p(x, y)"),
        ("test/reconstruction_error", "", "‖x - E[x|E[z]]‖²"),
        ("test/log_likelihood", "nats", f"log p(x), S = {samples}"),
        ("test/bits_per_dim", "bits", "each dimension"),
        ("test/active_units", "", f"of {results.get('latent_dim')}"),
        ("test/error", "", "of the labels, told wrongly"),
        ("test/calibration_error", "", "|accuracy - confidence|"),
        ("test/scale_at_bound", "", "of the scales, at min_scale"),
        ("train/images_per_second", "images/s", "training alone"),
        ("train/seconds", "s", "validation and all"),
    ]


def rows_of_evaluation(record: Results) -> list[Row]:
    """What is shown of an evaluation, in order."""
    samples = record.get("log_likelihood_samples")
    images = _known(record, "mutual_information_images", 1)
    reconstruction, kl = PARTS["labelled_elbo" in record]
    reconstruction = reconstruction if "elbo" in record else OF_CODE
    return [
        ("elbo", "nats", f"bound, S = {samples}"),
        ("reconstruction", "nats", reconstruction),
        ("kl", "nats", kl),
        ("log_likelihood", "nats", f"log p(x), S = {samples}"),
        ("log_likelihood_mc_se", "nats", "error left by the draws"),
        ("log_likelihood_bias", "nats", "of the estimate, about"),
        ("labelled_elbo", "nats", "bound on log p(x, y)"),
        ("exact_log_likelihood", "nats", "log p(x), by formula"),
        ("bits_per_dim", "bits", "each dimension"),
        ("effective_sample_size", "draws", f"of {samples}, on average"),
        ("active_units", "", f"of {record.get('latent_dim')}"),
        ("mutual_information_lower", "nats", f"I(x;z) ≥; ≤ {math.log(max(images, 1)):.2f}"),
        ("mutual_information_upper", "nats", f"I(x;z) ≤; {images} images"),
        ("marginal_kl_lower", "nats", "KL(q(z)‖p(z)) ≥"),
        ("marginal_kl_upper", "nats", "KL(q(z)‖p(z)) ≤"),
        ("reconstruction_error", "", "‖x - E[x|E[z]]‖²"),
        ("scale_at_bound", "", "of the scales, at min_scale"),
        ("error", "", f"of {record.get('labelled_images')} labels, told wrongly"),
        ("calibration_error", "", "|accuracy - confidence|"),
        ("linear_probe_accuracy", "", f"fitted to {record.get('probe_images')} images"),
        ("nearest_neighbors_accuracy", "", "likewise"),
        ("posterior_normalization", "", "E_q[p/q], to be 1"),
        ("posterior_log_det_error", "nats", "against autograd, to be 0"),
        ("posterior_log_prob_error", "nats", "at its draws, to be 0"),
    ]


def warnings_of(record: Results) -> list[str]:
    """What should not be taken at its word in an evaluation."""
    warnings = []
    low = _known(record, "low_effective_sample_size", 0.0)
    if low > TRUSTED_SHARE:
        samples = _known(record, "log_likelihood_samples", 1)
        warnings.append(
            f"for {low:.1%} of the images fewer than 10 of {samples} draws count: log p(x) is "
            f"likely too low there, by more than is stated. Try samples={10 * samples}."
        )
    warnings += [advice] if (advice := scale_advice(record.get("scale_at_bound"))) else []
    for name in ("posterior_log_det_error", "posterior_log_prob_error"):
        if _known(record, name, 0.0) > TOLERANCE:
            warnings.append(f"{name} is {record[name]:.1g} nats: q(z|x) is not what it claims.")
    off = abs(_known(record, "posterior_normalization", 1.0) - 1)
    if off > 5 * _known(record, "posterior_normalization_se", 0.0):
        warnings.append("E_q[p/q] is not 1 within five standard errors: q(z|x) is no density.")
    return warnings


def _known(record: Results, name: str, else_: float) -> float:
    """A number of a record, or a placeholder if it is missing."""
    value = record.get(name)
    return value if is_number(value) else else_


def scale_advice(share: float | None) -> str | None:
    """What to say of the share of scales that are the smallest allowed."""
    if not is_number(share) or share <= TRUSTED_SHARE:
        return None
    return (
        f"{share:.0%} of the Gaussian's scales have collapsed to likelihood.min_scale, on which "
        "the bound then depends. Try data.dequantize=true, likelihood.scale=shared or a number."
    )
