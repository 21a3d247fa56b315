"""Hydra's grammar of overrides."""

import shlex
from contextlib import suppress

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException

from vae_cli.errors import VaeCliError, shortened


def quoted(value: object) -> str:
    """An override's value that Hydra reads as this text, whatever characters it has."""
    return QuotedString(str(value), Quote.single).with_quotes()


def parsed(text: str) -> Override:
    """One override as Hydra reads it."""
    try:
        return _read(text)
    except (HydraException, ValueError) as error:  # the latter of a number of 5,000 digits
        rule = "can't be read as key=value. Put special characters in quotes within quotes"
        raise VaeCliError(f"{shortened(text)}: {rule}{_corrected(text)}.") from error


def key_of(text: str) -> str:
    """The key of an override, whatever its form: ``seed`` of ``++seed=1`` and of ``~seed``."""
    return parsed(text).key_or_group


def _read(text: str) -> Override:
    (override,) = OverridesParser.create().parse_overrides([text])
    return override


def _corrected(text: str) -> str:
    """The word with quotes within quotes, for a shell; empty where that does not help."""
    key, _, value = text.partition("=")
    if not value:
        return ""
    words = f"{key}={QuotedString(value, Quote.double).with_quotes()}"
    with suppress(HydraException, ValueError):
        return f": {shlex.quote(shortened(words))}" if _read(words).value() == value else ""
    return ""
