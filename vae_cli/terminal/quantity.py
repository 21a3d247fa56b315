"""The numbers that tables know: their names for a reader, units, digits and directions."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from vae_cli.run.recorded import is_number

MOST_DIGITS = 6  # behind the point
SMALL = (  # numbers that are 0 where all is well
    "log_likelihood_mc_se", "log_likelihood_bias", "posterior_log_det_error",
    "posterior_log_prob_error",
)  # fmt: skip
LONG = 1e12  # from which a number is shown by its first digits
PREFIXES = ("validation_", "validation/", "test/", "train/")


@dataclass(frozen=True)
class Quantity:
    """A number of a model on a set of images.

    Attributes:
        name: Its key in ``results.json`` and ``evaluation.json``, without the split.
        head: Of its column.
        unit: Nats, bits or none.
        larger_is_better: None: the number says nothing about which model is better.
        digits: Behind the point, where its error needs no more.
        bound: The sign before a value that the estimate of log p(x) only bounds.
        is_of_labels: Whether images without a label do not count.
    """

    name: str
    head: str
    unit: str = ""
    larger_is_better: bool | None = None
    digits: int = 2
    bound: str = ""
    is_of_labels: bool = False


QUANTITIES = (
    Quantity("log_likelihood", "log p(x)", "nats", True, bound="≥ "),
    Quantity("exact_log_likelihood", "exact log p(x)", "nats", True),
    Quantity("elbo", "ELBO", "nats", True),
    Quantity("labelled_elbo", "ELBO of x and y", "nats", True),
    Quantity("weighted_elbo", "weighted ELBO", "nats"),  # each KL weight has its own scale
    Quantity("error", "error", "", False, digits=3, is_of_labels=True),
    Quantity("calibration_error", "calibration error", "", False, digits=3),
    Quantity("kl", "KL", "nats"),
    Quantity("reconstruction", "reconstruction", "nats", True),
    Quantity("denoising", "denoising", "nats", True),
    Quantity("reconstruction_error", "squared error", "", False),
    Quantity("bits_per_dim", "bits/dim", "bits", False, bound="≤ "),
    Quantity("active_units", "active units"),
    Quantity("effective_sample_size", "ESS", "draws", digits=0),
    Quantity("posterior_normalization", "E_q[p/q]", digits=3),
)  # fmt: skip
BY_NAME = {each.name: each for each in QUANTITIES}


def quantity(key: str) -> Quantity:
    """What is known of a number; an unknown one has its key as head, and no direction.

    Args:
        key: With or without a split: ``elbo``, ``test/elbo``, ``validation_elbo``.
    """
    prefix = next((text for text in PREFIXES if key.startswith(text)), "")
    name = key.removeprefix(prefix)
    if name.endswith("accuracy"):
        return Quantity(key, key, "", larger_is_better=True, digits=3)
    if name not in BY_NAME:
        return Quantity(key, key)
    known = BY_NAME[name]
    return replace(known, head=f"validation {known.head}") if prefix[:1] == "v" else known


def bound_sign(record: Mapping[str, Any], key: str) -> str:
    """The sign before a number whose estimate of log p(x) is not to be trusted, else nothing."""
    split = key[: key.rfind("/") + 1]
    return quantity(key).bound if record.get(f"{split}log_likelihood_is_bound") is True else ""


def with_error(value: float, error: float | None, digits: int) -> str:
    """A number, with its error if that is known and not zero.

    Args:
        value: Of any unit.
        error: Its standard error, in the same unit.
        digits: Behind the point, more if the error needs them.
    """
    if not is_number(error) or error <= 0:
        return f"{value:.{digits}f}"
    digits = min(max(digits, math.ceil(-math.log10(error))), MOST_DIGITS)
    shown = f"{error:.{digits}f}"
    return f"{value:.{digits}f} ± {shown}" if float(shown) else f"{value:.{digits}f}"


def number(results: Mapping[str, Any], key: str) -> str:
    """A result as it is shown, with its standard error where it has one."""
    value, error = results.get(key), results.get(f"{key}_se")
    if not is_number(value):
        return ""
    sign = bound_sign(results, key)
    if abs(value) >= LONG:
        return f"{sign}{value:.3g}"
    if key.rpartition("/")[2] in SMALL:
        return f"{value:.1g}"
    is_whole = isinstance(value, int) or (error is None and value >= 1000)
    return sign + with_error(value, error, 0 if is_whole else quantity(key).digits)
