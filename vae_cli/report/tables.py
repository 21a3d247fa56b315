"""The numbers of a page, as rows of text."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from vae_cli.report.chart import Chart, Series
from vae_cli.report.record import RunRecord
from vae_cli.run.recorded import is_number
from vae_cli.run.short_names import short_names
from vae_cli.terminal.comparable import (
    MEASURED,
    comparable,
    compared_keys,
    headed,
    marked,
    protocol,
)
from vae_cli.terminal.quantity import Results, number, quantity
from vae_cli.terminal.rows import declared_in, rows_of
from vae_cli.terminal.table import Table, cell

PARTS, SHOWN = ("train", "validation"), ("training", "validation")  # of tags, and in a legend


class Headline(NamedTuple):
    """A number to be seen first."""

    head: str
    value: str
    error: str
    unit: str


def headlines(record: Results) -> list[Headline]:
    """The numbers to be seen first, of those that there are."""
    found = []
    for declared in sorted(declared_in(record), key=lambda number: number.column):
        if "headlines" in declared.tables and is_number(record.get(declared.name)):
            value, _, error = number(record, declared.name).partition(" ± ")
            is_count = declared.name == "active_units"
            of = f"of {record.get('latent_dim')}" if is_count else declared.unit
            found.append(Headline(declared.label, value, error, of))
    return found


def results_table(title: str, results: Results, prefix: str = "") -> Table:
    """The numbers of a run, with their meanings; arguments as for ``rows_of``."""
    rows = rows_of(results, prefix)
    shown = [[key, number(results, key), unit, meaning] for key, unit, meaning in rows]
    return Table(title, ["result", "value", "", ""], shown, [1])


class HasSettings(Protocol):
    """Something with a configuration by dotted keys."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The configuration."""


class Comparison(NamedTuple):
    """Runs whose results may be compared: a table, and their curves laid over each other."""

    table: Table
    charts: list[Chart]


def comparisons(records: Sequence[RunRecord], mixed: bool) -> list[Comparison]:
    """Runs side by side, best first by validation images: numbers, and settings that differ.

    Those whose data are treated differently are apart from each other, unless mixed.
    """
    by_name = {record.name: record for record in records}
    short = short_names([*by_name])
    found = []
    for group in comparable([(r.name, r.comparable) for r in records], mixed):
        members = [by_name[name] for name, _ in group.members]
        keys, differing = compared_keys(group.records), differing_settings(members)
        differs = len(group.protocols) > 1
        marks = [*(["data"] * group.is_mixed), *([MEASURED] * differs)]
        heads = ["run", *(quantity(key, *group.records).label for key in keys), *marks, *differing]
        rows = []
        for record in members:
            numbers = record.comparable
            cells = [short[record.name], *(number(numbers, key) for key in keys)]
            cells += [marked(numbers)] * group.is_mixed + [protocol(numbers)] * differs
            rows.append([*cells, *(cell(record.settings.get(key, "")) for key in differing)])
        table = Table(headed(group), heads, rows, range(1, len(keys) + 1))
        found.append(Comparison(table.filled(), charts(members, short)))
    return found


def differing_settings(records: Sequence[HasSettings]) -> list[str]:
    """The settings that are not the same in all runs."""
    keys = dict.fromkeys(key for record in records for key in record.settings)
    return [key for key in keys if len({str(r.settings.get(key)) for r in records}) > 1]


def charts(records: Sequence[RunRecord], names: Mapping[str, str]) -> list[Chart]:
    """The curves of one run, or those of several laid over each other.

    A part of the images is drawn in one way in all charts, whichever curves these have: training
    is dashed. Of one run it has another colour; of several, each run has one.

    Args:
        records: Of the runs.
        names: What the legend calls each, by ``record.name``; a single run needs none.
    """
    found = []
    several = len(records) > 1
    numbers = {number.name: number for r in records for number in declared_in(r.comparable)}
    for declared in numbers.values():
        if "charts" not in declared.tables:
            continue
        series = []
        for i, record in enumerate(records):
            for j, part in enumerate(PARTS):
                key = f"{part}/{declared.name.removeprefix('train/')}"
                if key in record.curves:
                    color, curve = i if several else j, record.curves[key]
                    name = names[record.name] if several else ""
                    series.append(Series(name, SHOWN[j], color, j == 0, curve))
        if series:
            found.append(Chart(declared.label, declared.unit, series))
    return found
