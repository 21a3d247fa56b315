"""One HTML file about runs, which needs nothing beside it."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

import vae_cli
from vae_cli.console import printable
from vae_cli.errors import ConfigError
from vae_cli.report import chart
from vae_cli.report.facts import facts
from vae_cli.report.record import RunRecord
from vae_cli.report.tables import (
    charts,
    comparisons,
    headlines,
    results_table,
)
from vae_cli.run.files import begins_like, place_of_output, write_text
from vae_cli.terminal.comparable import treatment
from vae_cli.terminal.quantity import number
from vae_cli.terminal.rows import warnings_of
from vae_cli.terminal.table import Table

PAGE = "report.html"
MARK = re.compile(rb'<meta name="generator" content="vae-report')  # what only our pages have
COLORS = 8  # of curves, in the page's own style
MOST_LABELS = 4  # columns of settings that fit beside the numbers; more are one column
LONGEST = 20  # letters in a line; a longer word continues in the next one
JOINTS = re.compile(  # of a word: optimizer.|lr, hidden_|dims, Planar|Posterior, but not 0.1
    rf"(?<=[_/=])(?=\w)|(?<=[.,])(?=[^\W\d])|(?<=[a-z])(?=[A-Z])"
    rf"|(?<=[^\W_]{{{LONGEST}}})(?=\w)"
)


def checked_output(path: Path) -> Path:
    """Where a page goes.

    Raises:
        ConfigError: If it can't, or would take the place of something that is no page of ours.
    """
    if path.suffix not in (".html", ".htm"):
        raise ConfigError("output", path, "needs a name that ends in .html")
    if not path.parent.is_dir():
        raise ConfigError("output", path, f"there is no folder {path.parent}", "Make it first.")
    return place_of_output(path, lambda place: begins_like(place, MARK), "a report", PAGE)


def write_page(records: Sequence[RunRecord], mixed: bool, output: Path) -> None:
    """Writes the page about one run or several.

    Args:
        records: The runs.
        mixed: Whether results of differently treated data may stand in one table.
        output: Where to.

    Raises:
        ConfigError: If it can't be written.
    """
    html = render(records, mixed)
    try:
        write_text(output, html)
    except OSError as error:
        rule = f"can't be written ({error.strerror})"
        raise ConfigError("output", output, rule, "Name another file.") from error


def render(records: Sequence[RunRecord], mixed: bool) -> str:
    """The page as text.

    Args:
        records: The runs.
        mixed: Whether results of differently treated data may stand in one table.
    """
    # What stands in a run's folder is others' word: all of it is escaped.
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("vae_cli.report", "."),
        autoescape=True,
        finalize=_shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    several = len(records) > 1
    compared = comparisons(records, mixed) if several else []
    return environment.get_template("page.html").render(
        version=vae_cli.__version__,
        frame=chart,
        colors=COLORS,
        title=f"{len(records)} runs" if several else records[0].name,
        several=several,
        facts=facts(records),
        comparisons=[c._replace(table=_narrowed(c.table)) for c in compared],
        charts=[] if several else charts(records, {}),
        legend=chart.legend,
        runs=[_run(record) for record in records],
    )


def _shown(value: object) -> object:
    """What a template's expression gives: a text without signs that turn or hide what follows."""
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return printable(value, keep="\n\t") if is_text else value


def _breakable(text: str) -> Markup:
    """A cell that is folded at the joints of its words, and never within a number or its sign."""
    whole = re.sub(r"([≥≤±]) ", "\\1\u00a0", printable(text))
    return Markup("<wbr>").join(escape(part) for part in JOINTS.split(whole))


def _narrowed(table: Table) -> Table:
    """A table that fits a page: settings of many columns go into one, as ``key=value``."""
    first, *others = table.labels
    if len(others) <= MOST_LABELS:
        return table
    kept = table.only([first, *table.numbers])
    settings = [
        ", ".join(f"{table.heads[i]}={row[i]}" for i in others if row[i]) for row in table.rows
    ]
    rows = [[*row, text] for row, text in zip(kept.rows, settings, strict=True)]
    return kept._replace(heads=[*kept.heads, "settings that differ"], rows=rows)


def _run(record: RunRecord) -> dict[str, object]:
    """What the template shows of one run."""
    tables, warnings = [], []
    for split, found in record.evaluation.items():
        images, checkpoint = number(found, "images"), found.get("checkpoint")
        title = f"vae-eval: {images} images, {treatment(found)}, {checkpoint}"
        tables.append(results_table(title, found))
        warnings += [f"{split}: {warning}" for warning in warnings_of(found)]
    if record.results:
        title = f"vae-train: {number(record.results, 'test/images')} test images"
        tables.append(results_table(title, record.results, "test/"))
    numbers = {"latent_dim": record.results.get("latent_dim"), **record.comparable}
    return {
        "record": record,
        "facts": facts([record]),
        "quoted": shlex.quote(record.name),
        "subtitle": treatment(numbers),
        "headlines": headlines(numbers),
        "warnings": warnings,
        "tables": tables,
    }
