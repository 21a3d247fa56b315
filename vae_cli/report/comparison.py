"""Runs side by side: which, grouped by what, and how surely one differs from the best."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from vae_cli.errors import ConfigError
from vae_cli.number import Number
from vae_cli.report.estimate import Difference, Estimate, differences, estimate
from vae_cli.report.ledger import REFERENCE, Entry
from vae_cli.report.sheet import Cell, Column, Runs, Sheet
from vae_cli.report.tables import differing_settings
from vae_cli.run.short_names import name_together, short_names
from vae_cli.terminal.comparable import (
    MEASURED,
    Comparable,
    Ranking,
    comparable,
    marked,
    order,
    protocol,
    ranking_of,
)
from vae_cli.terminal.quantity import quantity
from vae_cli.terminal.table import cell

LONG = 10  # digits of a number and more
SEVERAL = 2  # digits behind the point of a number that has no fixed ones


class Setting(NamedTuple):
    """A setting, and the runs that have it.

    Attributes:
        runs: Alike in all but what they are averaged over, and measured alike.
        numbers: By name.
        difference: To the first row of its table; None for that one, and where it is unknown.
    """

    runs: Sequence[Entry]
    numbers: Mapping[str, Estimate]
    difference: Difference | None = None


def rows_of_runs(
    entries: Sequence[Entry], over: Sequence[str], keys: Sequence[str], ranking: Ranking | None
) -> list[Setting]:
    """Runs, those with equal settings and equally measured numbers in one row, best first.

    Args:
        entries: Of comparable data.
        over: Keys that do not count: rows are averages over them.
        keys: Of the numbers wanted. The first that has a direction, and that all runs have, is the
            one whose differences are given.
        ranking: The number that ranks the rows; None keeps their order.
    """
    groups: dict[tuple[Any, ...], list[Entry]] = {}
    for entry in entries:
        own = tuple(sorted((k, str(v)) for k, v in entry.settings.items() if k not in over))
        groups.setdefault((own, protocol(entry.numbers)), []).append(entry)
    rows, wanted = [], [ranking.key] if ranking else []
    for alike in groups.values():
        # A run that was done again shows no spread: the last one counts, folders bearing the time.
        alike = sorted(alike, key=lambda entry: entry.path)
        runs = [*{tuple(str(e.settings.get(k)) for k in over): e for e in alike}.values()]
        found = {key: estimate(runs, key) for key in {*keys, *wanted}}
        rows.append(Setting(runs, {key: e for key, e in found.items() if e is not None}))
    if ranking is not None:
        means = [{key: found.value for key, found in row.numbers.items()} for row in rows]
        rows = [rows[i] for i in sorted(range(len(rows)), key=lambda i: ranking.place(means[i]))]
    subtracted = ranking_of([entry.numbers for entry in entries], keys)
    if subtracted is None or not rows:
        return rows
    found_each = differences([row.runs for row in rows], subtracted.key)
    return [row._replace(difference=each) for row, each in zip(rows, found_each, strict=True)]


def comparison_sheets(
    entries: Sequence[Entry],
    over: Sequence[str],
    keys: Sequence[str],
    mixed: bool,
    chosen: Sequence[str] | None = None,
    by_test: bool = False,
) -> list[Sheet]:
    """Runs side by side, best first: the settings in which they differ, and their numbers.

    Those whose data are treated differently are in separate tables, unless mixed.

    Args:
        entries: The runs.
        over: Keys that do not count: a row is an average over them.
        keys: Of the numbers wanted.
        mixed: Whether all go into one table, marked with their treatment.
        chosen: The settings to tell rows apart by, as their user wrote them; None finds out in
            what they differ.
        by_test: Rank by the first of ``keys``, which makes the best one look better than it is;
            else by a number of the validation images.
    """
    by_path = {entry.path: entry for entry in entries}
    names = short_names([e.path for e in entries if REFERENCE not in e.settings])
    found = []
    for group in comparable([(e.path, e.numbers) for e in entries], mixed):
        members = [by_path[path] for path, _ in group.members]
        ranking = _test_ranking(group, keys) if by_test else group.ranking
        telling = _telling(members, over) if chosen is None else [*chosen]
        telling += ["data"] if group.is_mixed and "data" not in telling else []
        telling += [MEASURED] if len(group.protocols) > 1 else []
        rows = rows_of_runs(members, over, keys, ranking)
        found.append(_sheet(group, rows, names, telling, keys, chosen is not None, ranking))
    return found


def _test_ranking(group: Comparable, keys: Sequence[str]) -> Ranking | None:
    """The first of some numbers that can rank.

    Raises:
        ConfigError: If none of them has a direction.
    """
    ranking = ranking_of(group.records, keys)
    if ranking is None and all(
        quantity(key, *group.records).larger_is_better is None for key in keys
    ):
        rule = "has no direction: neither large nor small is better"
        remedy = "Try rank=validation, or add a number that has one."
        raise ConfigError("metrics", ",".join(keys), rule, remedy)
    return ranking


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


def _sheet(
    group: Comparable,
    rows: Sequence[Setting],
    names: Mapping[str, str],
    telling: list[str],
    keys: Sequence[str],
    as_written: bool,
    ranking: Ranking | None,
) -> Sheet:
    numbers = [run.numbers for row in rows for run in row.runs]
    subtracting = ranking_of(numbers, keys)
    subtracted = subtracting.number if subtracting else quantity(keys[0], *numbers)
    declared = [quantity(key, *numbers) for key in keys]
    columns = [
        *(Column(name) for name in telling),
        Column("run"),
        Column("runs", is_number=True),
        *(Column(each.label, _digits(each), is_number=True) for each in declared),
        Column(f"Δ {subtracted.label}, 95%", _digits(subtracted), is_number=True),
    ]
    lines: list[list[Cell]] = [
        [
            *_labels(row, telling, as_written),
            _runs(row, names),
            len(row.runs),
            *(row.numbers.get(key) for key in keys),
            row.difference,
        ]
        for row in rows
    ]
    covered = dict.fromkeys(row.difference.covers for row in rows if row.difference is not None)
    notes = [
        *(group.protocols if len(group.protocols) == 1 else []),
        order(ranking) + _warning(ranking),
        *(f"Δ: difference to the first row, interval over {each}" for each in covered),
    ]
    return Sheet(group.title, [note for note in notes if note], columns, lines)


def _digits(number: Number) -> int:
    return SEVERAL if number.digits is None else number.digits


def _warning(ranking: Ranking | None) -> str:
    """What to say of an order by the images that the numbers are of."""
    is_validation = ranking is None or ranking.key.startswith("validation")
    return "" if is_validation else ", so the first looks better than it is"


def _labels(row: Setting, telling: Sequence[str], as_written: bool) -> list[str]:
    """The settings that tell a row apart."""
    first = row.runs[0]
    own = {REFERENCE: first.path if {*telling} <= {REFERENCE, MEASURED} else "", **first.settings}
    own |= {key: _short(value) for key, value in first.chosen.items()} if as_written else {}
    own |= {MEASURED: protocol(first.numbers)}
    if "data" in telling:
        own["data"] = marked(first.numbers)
    return [cell(own.get(key, "")) for key in telling]


def _runs(row: Setting, names: Mapping[str, str]) -> Runs | None:
    """The runs of a row; None of a publication's."""
    paths = [run.path for run in row.runs if run.path in names]
    own = [names[path] for path in paths]
    return Runs(name_together(own, [*names.values()]), paths) if own else None


def _short(text: str) -> str:
    """What was written, but for the many digits of a number that a search has chosen."""
    try:
        return text if len(text) < LONG else f"{float(text):.4g}"
    except ValueError:
        return text
