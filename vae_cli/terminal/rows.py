"""Which numbers are shown of a run and of an evaluation, and what not to trust among them."""

import math
from collections.abc import Iterable

from vae_cli.number import FEW_IMAGES, KNOWN, OF_TRAINING, Number
from vae_cli.run.declared import DECLARED
from vae_cli.run.recorded import is_number
from vae_cli.terminal.quantity import Results, meaning

Row = tuple[str, str, str]  # key, unit, meaning

LABELLED = {  # what the parts of the bound are in a model with a label
    "reconstruction": "E log p(x|y,z), or a bound",
    "kl": "KL of y and z together",
}
OF_CODE = "log p(x|z), z the code"  # the reconstruction where there is no bound
TRUSTED_SHARE = 0.01  # of the scales may be at their bound without a warning
TOLERANCE = 1e-6  # nats between two ways to the same density, in float64


def rows_of(results: Results, prefix: str = "") -> list[Row]:
    """What is shown of a run or of an evaluation, in order.

    Args:
        results: As in ``results.json``, or a split's record of ``evaluation.json``.
        prefix: ``test/`` for the first.
    """
    rows, wanted = [], {"rows"} if prefix else {"rows", "evaluated"}
    for declared in declared_in(results):
        key = declared.name if declared.name.startswith("train/") else prefix + declared.name
        is_hidden = declared.hides_zero and not results.get(key)
        if wanted & {*declared.tables} and results.get(key) is not None and not is_hidden:
            rows.append((key, declared.unit, _meaning(declared, results, prefix)))
    return rows


def declared_in(results: Results) -> Iterable[Number]:
    """Every number that is known for a run, in the order of its tables."""
    return (*KNOWN, *results.get(DECLARED, {}).values(), *OF_TRAINING)


def _meaning(declared: Number, results: Results, prefix: str) -> str:
    if declared.name in LABELLED:
        if any(f"{prefix}{name}" in results for name in ("entropy", "labelled_elbo")):
            return LABELLED[declared.name]
        if f"{prefix}elbo" not in results:
            return OF_CODE
    return meaning(declared, results, prefix)


def warnings_of(record: Results) -> list[str]:
    """What should not be taken at its word in an evaluation."""
    warnings = [advice] if (advice := few_images_advice(record)) else []
    warnings += [advice] if (advice := bound_advice(record)) else []
    warnings += [advice] if (advice := scale_advice(record.get("scale_at_bound"))) else []
    for name in ("posterior_log_det_error", "posterior_log_prob_error"):
        if _known(record, name, 0.0) > TOLERANCE:
            warnings.append(f"{name} is {record[name]:.1g} nats: the density of q(z|x) is wrong.")
    off = abs(_known(record, "posterior_normalization", 1.0) - 1)
    if off > 5 * _known(record, "posterior_normalization_se", 0.0):
        warnings.append("E_q[p/q] is not 1 within five standard errors: q(z|x) is not normalized.")
    return warnings


def few_images_advice(record: Results) -> str | None:
    """What to say of numbers of few images; None of others."""
    images = record.get("images")
    if not is_number(images) or images >= FEW_IMAGES:
        return None
    if images == 1:
        return "one image gives no standard error and no active units. Measure more."
    rule = "too few for reliable standard errors and active units"
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
        why = f"for {heavy:.0%} of the images, a few of the {samples} draws outweigh all others"
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
