"""What has come of a sweep: one row a setting, and the jobs that failed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from vae_cli.report.comparison import comparison_sheets
from vae_cli.report.formats import as_csv, as_markdown
from vae_cli.report.ledger import read_entries
from vae_cli.report.sheet import Sheet
from vae_cli.run.files import write_text
from vae_cli.terminal.comparable import columns
from vae_cli.terminal.table import Table

OVER = ("seed",)  # rows are means over it


def outcome_of(
    paths: Sequence[str],
    jobs: Mapping[str, Sequence[str]],
    lacking: Mapping[str, str],
    pruned: Mapping[str, str],
) -> list[Sheet | Table]:
    """Tables of a sweep, best first.

    Args:
        paths: Of the runs' folders that have results.
        jobs: What each job was given, by its name.
        lacking: Names of the jobs that have none, and why.
        pruned: Names of those that a study has ended, and when.
    """
    entries, _ = read_entries(paths, "test")
    numbers = columns([entry.numbers for entry in entries])
    found: list[Sheet | Table] = [
        *comparison_sheets(entries, OVER, numbers, False, _varying([*jobs.values()]))
    ]
    for title, ended in (("pruned jobs", pruned), ("jobs without results", lacking)):
        rows = [[name, why] for name, why in ended.items()]
        found += [Table(title, ["run", "why"], rows)] if rows else []
    return found


def _varying(jobs: Sequence[Sequence[str]]) -> list[str]:
    """The keys that jobs were given different values of, whichever of them came to an end."""
    each = [
        dict(text.lstrip("+~").split("=", 1) for text in texts if "=" in text) for texts in jobs
    ]
    keys = dict.fromkeys(key for given in each for key in given if key not in OVER)
    return [key for key in keys if len({given.get(key) for given in each}) > 1]


def write_outcome(folder: Path, found: Sequence[Sheet | Table]) -> None:
    """Writes ``sweep.csv``, for programs, and ``sweep.md``."""
    for name, text in (("sweep.csv", as_csv(found)), ("sweep.md", as_markdown(found))):
        write_text(folder / name, text)
