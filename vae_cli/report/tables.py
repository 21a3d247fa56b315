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
from vae_cli.terminal.quantity import number, quantity
from vae_cli.terminal.rows import Row
from vae_cli.terminal.table import Table, cell

HEADLINES = (
    "log_likelihood", "elbo", "kl", "reconstruction", "denoising", "reconstruction_error",
    "bits_per_dim", "active_units", "error",
)  # fmt: skip
CHARTS = (  # title, unit, curves
    ("bound", "nats", ("train/elbo", "validation/elbo")),
    ("reconstruction", "nats", ("train/reconstruction", "validation/reconstruction")),
    ("denoising", "nats", ("train/denoising", "validation/denoising")),
    ("‖z‖₁", "", ("train/code_l1", "validation/code_l1")),
    ("‖∂z/∂x‖²", "", ("train/squared_jacobian_norm", "validation/squared_jacobian_norm")),
    ("Σ |z_d| ‖∂E[x|z]/∂z_d‖", "", ("train/image_l1", "validation/image_l1")),
    ("‖∂E[x|z]/∂x‖²", "", ("train/image_jacobian_norm", "validation/image_jacobian_norm")),
    ("KL", "nats", ("train/kl", "validation/kl")),
    ("active units", "", ("validation/active_units",)),
    ("labels told wrongly", "", ("validation/error",)),
    ("entropy of q(y|x)", "nats", ("train/entropy", "validation/entropy")),
    ("weight of the KL", "", ("train/weight",)),
    ("learning rate", "", ("train/lr",)),
)

PARTS, SHOWN = ("train", "validation"), ("training", "validation")  # of tags, and in a legend


class Headline(NamedTuple):
    """A number to be seen first."""

    head: str
    value: str
    error: str
    unit: str


def headlines(record: Mapping[str, Any]) -> list[Headline]:
    """The numbers to be seen first, of those that there are."""
    found = []
    for key in HEADLINES:
        if is_number(record.get(key)):
            value, _, error = number(record, key).partition(" ± ")
            of = f"of {record.get('latent_dim')}" if key == "active_units" else quantity(key).unit
            found.append(Headline(quantity(key).head, value, error, of))
    return found


def results_table(title: str, rows: Sequence[Row], results: Mapping[str, Any]) -> Table:
    """Results in the order of ``rows``; one without a key adds to the one above."""
    shown: list[list[str]] = []
    is_shown = False
    for key, unit, meaning in rows:
        is_shown = results.get(key) is not None if key else is_shown
        if is_shown:
            shown.append([key, number(results, key) if key else "", unit, meaning])
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
        keys, differing = compared_keys(group.members), differing_settings(members)
        differs = len(group.protocols) > 1
        marks = [*(["data"] * group.is_mixed), *([MEASURED] * differs)]
        heads = ["run", *(quantity(key).head for key in keys), *marks, *differing]
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
    is dashed. Of one run it has a colour of its own; of several, each run has.

    Args:
        records: Of the runs.
        names: What the legend calls each, by ``record.name``; a single run needs none.
    """
    found = []
    several = len(records) > 1
    for title, unit, curves in CHARTS:
        series = []
        for i, record in enumerate(records):
            for key in curves:
                if key in record.curves:
                    j = PARTS.index(key.partition("/")[0])
                    color, curve = i if several else j, record.curves[key]
                    name = names[record.name] if several else ""
                    series.append(Series(name, SHOWN[j], color, j == 0, curve))
        if series:
            found.append(Chart(title, unit, series))
    return found
