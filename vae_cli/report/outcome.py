"""What has come of a sweep: one row a setting, and the jobs that failed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from vae_cli.report.comparison import tables
from vae_cli.report.formats import as_csv, as_markdown
from vae_cli.report.ledger import read_entries
from vae_cli.report.tables import Table
from vae_cli.run.files import replaced

OVER = ("seed",)  # rows are means over it
# What decides is of the validation images: the best of many by the test images looks too good.
NUMBERS = ("validation_elbo", "elbo", "log_likelihood", "kl", "active_units")


def outcome_of(paths: Sequence[str], lacking: Mapping[str, str]) -> list[Table]:
    """Tables of a sweep, best first.

    Args:
        paths: Of the runs' folders.
        lacking: Names of the jobs that have no results, and why.
    """
    entries, _ = read_entries([path for path in paths if Path(path).name not in lacking], "test")
    found = tables(entries, OVER, NUMBERS, mixed=False)
    rows = [[name, why] for name, why in lacking.items()]
    return [*found, Table("jobs without results", ["job", "why"], rows)] if rows else found


def write_outcome(folder: Path, tables: Sequence[Table]) -> None:
    """Writes ``sweep.csv`` and ``sweep.md``."""
    for name, text in (("sweep.csv", as_csv(tables)), ("sweep.md", as_markdown(tables))):
        with replaced(folder / name) as partial:
            partial.write_text(text, encoding="utf-8")
