"""How numbers are shown: names for a reader, digits, errors and the signs of bounds."""

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vae_cli.console import printable
from vae_cli.number import BY_NAME, LONGEST, MOST_DIGITS, Number
from vae_cli.run.declared import DECLARED
from vae_cli.run.recorded import is_number

LONG = 1e12  # from which a number is shown by its first digits
LONG_LABEL = LONGEST["label"]
PREFIXES = ("validation_", "validation/", "test/", "train/")
OTHER = re.compile(r"\{(?:([^{}|]*)\|)?(\w+)(?:\|([^{}|]*))?\}")  # in what a number means

Results = Mapping[str, Any]


def quantity(key: str, *records: Results) -> Number:
    """What is declared of a number; one that nobody declares has no direction.

    Args:
        key: With or without a split: ``elbo``, ``test/elbo``, ``validation_elbo``.
        records: Those that have it, with their declarations. Where these disagree about the
            direction is unknown.
    """
    prefix = next((text for text in PREFIXES if key.startswith(text)), "")
    name = key.removeprefix(prefix)
    number = BY_NAME.get(key) or BY_NAME.get(name) or _declared(name, records)
    if number is None:  # of any length and with any signs
        return Number("undeclared", printable(key)[:LONG_LABEL])
    if prefix.startswith("validation") and number.name == name:
        return replace(number, label=f"validation {number.label}"[:LONG_LABEL])
    return number


def _declared(name: str, records: tuple[Results, ...]) -> Number | None:
    found = [r[DECLARED][name] for r in records if name in r.get(DECLARED, ())]
    if len({number.larger_is_better for number in found}) > 1:
        return replace(found[0], larger_is_better=None)
    return found[0] if found else None


def bound_sign(record: Results, key: str) -> str:
    """The sign before a number whose estimate of log p(x) is not to be trusted, else nothing."""
    split = key[: key.rfind("/") + 1]
    is_bound = record.get(f"{split}log_likelihood_is_bound") is True
    return quantity(key, record).bound if is_bound else ""


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


def number(results: Results, key: str) -> str:
    """A result as it is shown, with its standard error where it has one."""
    value, error = results.get(key), results.get(f"{key}_se")
    if not is_number(value):
        return ""
    sign, digits = bound_sign(results, key), quantity(key, results).digits
    if abs(value) >= LONG:
        return f"{sign}{value:.3g}"
    if digits is None:
        return f"{value:.1g}"
    is_whole = isinstance(value, int) or (error is None and value >= 1000)
    return sign + with_error(value, error, 0 if is_whole else digits)


def meaning(declared: Number, results: Results, prefix: str = "") -> str:
    """What a number means, with the other numbers that its meaning names.

    Args:
        declared: The number.
        results: The record that holds it.
        prefix: Of the split, before the names of the others.
    """

    def filled(found: re.Match[str]) -> str:
        before, name, after = (found[i] or "" for i in (1, 2, 3))
        value = results.get(f"{prefix}{name}", results.get(name))
        return f"{before}{value}{after}" if is_number(value) else ""

    return OTHER.sub(filled, declared.meaning)
