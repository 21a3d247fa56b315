"""Runs side by side: which, grouped by what, and how surely one is better than another."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vae_cli.config.check import suggest
from vae_cli.errors import ConfigError
from vae_cli.report.estimate import Difference, Estimate, difference, estimate
from vae_cli.report.ledger import REFERENCE, Entry, each
from vae_cli.report.tables import differing_settings
from vae_cli.run.rows import ERRORS, is_share
from vae_cli.run.summary import HEADS, Comparable, comparable, treatment
from vae_cli.run.table import Table, cell

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "!=": operator.ne, ">=": operator.ge, "<=": operator.le, "=": operator.eq, ">": operator.gt,
    "<": operator.lt,
}  # fmt: skip
CONDITION = re.compile(r"\s*([\w./]+)\s*(!=|>=|<=|=|>|<)\s*(.*?)\s*")
LONG = 10  # digits of a number and more


class Row(NamedTuple):
    """A setting, and the runs that have it.

    Attributes:
        runs: Alike in all but what they are averaged over.
        numbers: By name.
        difference: To the best of its table; None for that one, and where there are no values of
            each image to tell.
    """

    runs: Sequence[Entry]
    numbers: Mapping[str, Estimate]
    difference: Difference | None = None


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
            rule = "needs conditions parted by commas"
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
        plain = wanted.replace("_", "").lower()
        same = any(_equal(one, wanted) for one in found) or (
            key in entry.settings and bool(plain) and _is_class(str(entry.settings[key]), plain)
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
    """Whether ``PlanarPosterior`` is what ``planar`` stands for."""
    return name[:1].isupper() and name.lower().startswith(option)


def rows_of(entries: Sequence[Entry], over: Sequence[str], keys: Sequence[str]) -> list[Row]:
    """Runs, those with equal settings in one row, best first.

    Args:
        entries: Of comparable data.
        over: Keys that do not count: rows are averages over them.
        keys: Of the numbers wanted; the first that all runs have decides what is best.
    """
    groups: dict[tuple[Any, ...], list[Entry]] = {}
    for entry in entries:
        own = tuple(sorted((k, str(v)) for k, v in entry.settings.items() if k not in over))
        groups.setdefault(own, []).append(entry)
    decisive = decisive_key(entries, keys)
    rows = []
    for alike in groups.values():
        # A run that was done again shows no spread: the last one counts, folders bearing the time.
        alike = sorted(alike, key=lambda entry: entry.path)
        runs = [*{tuple(str(e.settings.get(k)) for k in over): e for e in alike}.values()]
        found = {key: estimate(runs, key) for key in keys}
        rows.append(Row(runs, {key: e for key, e in found.items() if e is not None}))
    if decisive is None:
        return rows
    sign = 1 if decisive in ERRORS else -1
    rows.sort(key=lambda row: sign * row.numbers[decisive].value)
    rest = [
        row._replace(difference=difference(row.runs, rows[0].runs, decisive)) for row in rows[1:]
    ]
    return [*rows[:1], *rest]


def decisive_key(entries: Sequence[Entry], keys: Sequence[str]) -> str | None:
    """The first of the numbers wanted that all runs have."""
    return next((k for k in keys if len(list(each(entries, k))) == len(entries)), None)


def tables(
    entries: Sequence[Entry],
    over: Sequence[str],
    keys: Sequence[str],
    mixed: bool,
    chosen: Sequence[str] | None = None,
    digits: int = 2,
) -> list[Table]:
    """Runs side by side, best first: the settings in which they differ, and their numbers.

    Those whose data are treated differently are in tables of their own, unless mixed.

    Args:
        entries: The runs.
        over: Keys that do not count: a row is an average over them.
        keys: Of the numbers wanted, the first deciding what is best.
        mixed: Whether all go into one table, marked with their treatment.
        chosen: The settings to tell rows apart by, as their user wrote them; None finds out in
            what they differ.
        digits: Behind the point.
    """
    by_path = {entry.path: entry for entry in entries}
    found = []
    for group in comparable([(e.path, e.numbers) for e in entries], mixed):
        members = [by_path[path] for path, _ in group.members]
        telling = _telling(members, over) if chosen is None else [*chosen]
        telling += ["data"] if group.is_mixed and "data" not in telling else []
        rows = rows_of(members, over, keys)
        found.append(_table(group, rows, telling, keys, chosen is not None, digits))
    return found


def _telling(entries: Sequence[Entry], over: Sequence[str]) -> list[str]:
    """The settings that tell rows apart, without those that follow from a group's option."""
    ours = [entry for entry in entries if REFERENCE not in entry.settings]
    named = [REFERENCE] if len(ours) < len(entries) else []
    differing = [key for key in differing_settings(ours) if key not in over]

    def follows(key: str) -> bool:
        group = key.partition(".")[0]
        pairs = {(str(e.settings.get(group)), str(e.settings.get(key))) for e in entries}
        return group != key and group in differing and len(pairs) == len({p[0] for p in pairs})

    def is_of_a_kind(key: str) -> bool:
        """Whether some models have none and all others the same, as a prior: their name tells."""
        found = {str(e.settings[key]) for e in ours if key in e.settings}
        return len(found) == 1 and "model" in differing and _goes_with_model(ours, key)

    return [*(k for k in differing if not (follows(k) or is_of_a_kind(k))), *named]


def _goes_with_model(entries: Sequence[Entry], key: str) -> bool:
    """Whether all runs of a model have a setting, or none."""
    pairs = {(str(e.settings.get("model")), key in e.settings) for e in entries}
    return len(pairs) == len({model for model, _ in pairs})


def _table(
    group: Comparable,
    rows: Sequence[Row],
    telling: list[str],
    keys: Sequence[str],
    as_written: bool,
    digits: int,
) -> Table:
    has_difference = any(row.difference for row in rows)
    decisive = decisive_key([run for row in rows for run in row.runs], keys) or keys[0]
    heads = [*(telling or ["run"]), "runs", *(HEADS.get(key, key) for key in keys)]
    heads += [f"Δ {HEADS.get(decisive, decisive)}, 95 %"] if has_difference else []
    lines = []
    for row in rows:
        first = row.runs[0]
        own = {REFERENCE: first.path if telling == [REFERENCE] else "", **first.settings}
        own |= {key: _short(value) for key, value in first.chosen.items()} if as_written else {}
        if group.is_mixed:
            own["data"] = treatment(first.numbers)
        name = Path(first.path).name if as_written else first.path
        cells = [cell(own.get(key, "")) for key in telling] or [name]
        cells += [
            str(len(row.runs)),
            *(_shown(row.numbers.get(key), digits + is_share(key)) for key in keys),
        ]
        lines.append(
            [
                *cells,
                *(
                    [_interval(row.difference, digits + is_share(decisive))]
                    if has_difference
                    else []
                ),
            ]
        )
    return Table(group.title, heads, lines, range(len(telling or [""]), len(heads))).filled()


def _short(text: str) -> str:
    """What was written, but for the many digits of a number that a search has chosen."""
    try:
        return text if len(text) < LONG else f"{float(text):.4g}"
    except ValueError:
        return text


def _shown(estimate: Estimate | None, digits: int) -> str:
    if estimate is None:
        return ""
    value, error = (None if number is None else f"{number:.{digits}f}" for number in estimate)
    return value or "" if error is None else f"{value} ± {error}"


def _interval(difference: Difference | None, digits: int) -> str:
    if difference is None:
        return ""
    value, low, high = (f"{number:+.{digits}f}" for number in difference)
    return f"{value} ({low} … {high})"
