"""Which runs of many: conditions on their settings."""

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

from vae_cli.config.nearest import suggest
from vae_cli.errors import ConfigError
from vae_cli.report.ledger import Entry

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "!=": operator.ne, ">=": operator.ge, "<=": operator.le, "=": operator.eq, ">": operator.gt,
    "<": operator.lt,
}  # fmt: skip
CONDITION = re.compile(r"\s*([\w./]+)\s*(!=|>=|<=|=|>|<)\s*(.*?)\s*")


def filtered(entries: Sequence[Entry], where: str) -> list[Entry]:
    """The runs that meet conditions: ``posterior=planar,latent_dim>=10``.

    An option may be called by its name or by its class's.

    Raises:
        ConfigError: If a condition can't be read, or is about what no run has.
    """
    kept = list(entries)
    for text in where.split(","):
        match = CONDITION.fullmatch(text)
        if match is None:
            rule = "needs comma-separated conditions"
            raise ConfigError("where", where, rule, "Try where='posterior=planar,latent_dim>=10'.")
        key, sign, wanted = match.groups()
        if not any(key in entry.settings or key in entry.chosen for entry in entries):
            known = list({key: None for entry in entries for key in entry.settings})
            raise ConfigError("where", where, f"no run has a setting {key}", suggest(key, known))
        kept = [entry for entry in kept if _meets(entry, key, sign, wanted)]
    return kept


def _meets(entry: Entry, key: str, sign: str, wanted: str) -> bool:
    found = [str(side[key]) for side in (entry.chosen, entry.settings) if key in side]
    if sign in ("=", "!="):
        same = any(_equal(one, wanted) for one in found) or (
            key in entry.settings and _is_class(str(entry.settings[key]), wanted)
        )
        return same == (sign == "=")
    try:
        return bool(found) and OPERATORS[sign](float(found[-1]), float(wanted))
    except ValueError:
        return False


def _equal(found: str, wanted: str) -> bool:
    try:
        return float(found) == float(wanted)
    except ValueError:
        return found == wanted


def _is_class(name: str, option: str) -> bool:
    """Whether ``PlanarPosterior`` is what ``planar`` stands for, either of them the name."""
    if option[:1].isupper():
        name, option = option, name
    plain = option.replace("_", "").lower()
    return name[:1].isupper() and bool(plain) and name.lower().startswith(plain)
