"""Which numbers are shown of a run and of an evaluation, and what not to trust among them."""

import math
from collections.abc import Mapping
from typing import Any

from vae_cli.metric.few import FEW_IMAGES
from vae_cli.run.recorded import is_number

Results = Mapping[str, Any]
Row = tuple[str, str, str]  # key, unit, meaning

PARTS = (  # of the bound: of models whose only latent variable is z, and of those with a label
    ("E log p(x|z)", "KL(q(z|x)‖p(z))"),
    ("E log p(x|y,z), or a bound", "KL of y and z together"),
)
OF_CODE = "log p(x|z), z the code"  # the reconstruction where there is no bound
TRUSTED_SHARE = 0.01  # of the scales may be at their bound without a warning
QUIET = ("test/active_units_uncertain", "active_units_uncertain", "probe_code_error")  # where 0
TOLERANCE = 1e-6  # nats between two ways to the same density, in float64


def rows_of_run(results: Results) -> list[Row]:
    """What is shown of ``results.json``, in order."""
    return [row for row in _rows_of_run(results) if row[0] not in QUIET or results.get(row[0])]


def _rows_of_run(results: Results) -> list[Row]:
    samples = results.get("test/log_likelihood_samples")
    few = results.get("test/log_likelihood_images")
    part = "" if few is None else f", {few} images"
    reconstruction, kl = PARTS["test/entropy" in results]
    reconstruction = reconstruction if "test/elbo" in results else OF_CODE
    return [
        ("test/elbo", "nats", "bound on log p(x)"),
        ("test/reconstruction", "nats", reconstruction),
        ("test/weighted_elbo", "nats", "bound at the trained KL weight"),
        ("test/denoising", "nats", "… z of the corrupted x"),
        ("test/code_l1", "", "‖z‖₁"),
        ("test/image_l1", "", "Σ |z_d| ‖∂E[x|z]/∂z_d‖"),
        ("test/squared_jacobian_norm", "", "‖∂z/∂x‖²"),
        ("test/image_jacobian_norm", "", "‖∂E[x|z]/∂x‖²"),
        ("test/kl", "nats", kl),
        ("test/labelled_elbo", "nats", "bound on log p(x, y)"),
        ("test/reconstruction_error", "", "‖x - E[x|E[z]]‖²"),
        ("test/log_likelihood", "nats", f"log p(x), S = {samples}{part}"),
        ("test/log_likelihood_bias", "nats", "of the estimate, about"),
        ("test/effective_sample_size", "draws", f"of {samples}, on average"),
        ("test/bits_per_dim", "bits", "each dimension"),
        ("test/active_units", "", f"of {results.get('latent_dim')}"),
        ("test/active_units_uncertain", "", "of them, on other images"),
        ("test/error", "", "of the labels, told wrongly"),
        ("test/calibration_error", "", "|accuracy - confidence|"),
        ("test/scale_at_bound", "", "of the scales, at min_scale"),
        ("train/images_per_second", "images/s", "training alone"),
        ("train/start_seconds", "s", "from start to first step"),
        ("train/seconds", "s", "training"),
        ("train/validation_seconds", "s", "validation"),
        ("train/test_seconds", "s", "test"),
        ("train/figure_seconds", "s", "pictures and dashboard"),
        ("train/total_seconds", "s", "sum of these"),
    ]


def rows_of_evaluation(record: Results) -> list[Row]:
    """What is shown of an evaluation, in order."""
    return [row for row in _rows_of_evaluation(record) if row[0] not in QUIET or record.get(row[0])]


def _rows_of_evaluation(record: Results) -> list[Row]:
    samples = record.get("log_likelihood_samples")
    draws = record.get("elbo_samples", samples)
    images = _known(record, "mutual_information_images", 1)
    reconstruction, kl = PARTS["labelled_elbo" in record]
    reconstruction = reconstruction if "elbo" in record else OF_CODE
    return [
        ("elbo", "nats", f"bound, {draws} draws"),
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
        ("active_units_uncertain", "", "of them, on other images"),
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
        ("probe_code_error", "", "of the codes, by the draws"),
        ("posterior_normalization", "", "E_q[p/q], to be 1"),
        ("posterior_log_det_error", "nats", "against autograd, to be 0"),
        ("posterior_log_prob_error", "nats", "at its draws, to be 0"),
    ]


def warnings_of(record: Results) -> list[str]:
    """What should not be taken at its word in an evaluation."""
    warnings = [advice] if (advice := few_images_advice(record)) else []
    warnings += [advice] if (advice := bound_advice(record)) else []
    warnings += [advice] if (advice := scale_advice(record.get("scale_at_bound"))) else []
    for name in ("posterior_log_det_error", "posterior_log_prob_error"):
        if _known(record, name, 0.0) > TOLERANCE:
            warnings.append(f"{name} is {record[name]:.1g} nats: q(z|x) is not what it claims.")
    off = abs(_known(record, "posterior_normalization", 1.0) - 1)
    if off > 5 * _known(record, "posterior_normalization_se", 0.0):
        warnings.append("E_q[p/q] is not 1 within five standard errors: q(z|x) is no density.")
    return warnings


def few_images_advice(record: Results) -> str | None:
    """What to say of numbers of few images; None of others."""
    images = record.get("images")
    if not is_number(images) or images >= FEW_IMAGES:
        return None
    if images == 1:
        return "one image has no standard error and tells nothing of active units. Measure more."
    rule = "too few for standard errors and active units to be trusted"
    return f"{images} images are {rule}. Measure more."


def bound_advice(record: Results, remedy: str = "") -> str | None:
    """What to say of an estimate of log p(x) that is only a lower bound; None if it is more.

    Args:
        record: Numbers by name.
        remedy: What gives a better one; empty for more draws.
    """
    if record.get("log_likelihood_is_bound") is not True:
        return None
    samples = int(_known(record, "log_likelihood_samples", 1))
    bias = record.get("log_likelihood_bias")
    heavy = _known(record, "high_pareto_shape", math.nan)
    why = f"{samples} draws are too few to tell how far below it is"
    if is_number(bias):
        why = f"it lies about {abs(bias):.1g} nats below"
    elif not math.isnan(heavy):
        why = f"a few of {samples} draws count for all the others for {heavy:.0%} of the images"
    remedy = remedy or f"Try samples={10 * samples}."
    return f"log_likelihood is only a lower bound on log p(x): {why}. {remedy}"


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
