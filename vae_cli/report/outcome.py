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


def outcome_of(
    paths: Sequence[str], lacking: Mapping[str, str], pruned: Mapping[str, str]
) -> list[Table]:
    """Tables of a sweep, best first.

    Args:
        paths: Of the runs' folders that have results.
        lacking: Names of the jobs that have none, and why.
        pruned: Names of those that a study has ended, and when.
    """
    entries, _ = read_entries(paths, "test")
    found = tables(entries, OVER, NUMBERS, mixed=False)
    for title, jobs in (("pruned jobs", pruned), ("jobs without results", lacking)):
        rows = [[name, why] for name, why in jobs.items()]
        found += [Table(title, ["job", "why"], rows)] if rows else []
    return found


def write_outcome(folder: Path, tables: Sequence[Table]) -> None:
    """Writes ``sweep.csv`` and ``sweep.md``."""
    for name, text in (("sweep.csv", as_csv(tables)), ("sweep.md", as_markdown(tables))):
        with replaced(folder / name) as partial:
            partial.write_text(text, encoding="utf-8")
