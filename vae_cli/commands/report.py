"""vae-report: runs in one HTML file, to read, to print and to mail."""

import sys
from pathlib import Path

from omegaconf import DictConfig

from vae_cli.commands.entry import command
from vae_cli.commands.runs import runs_of
from vae_cli.config.request import Request


@command("report", runs_of)
def main(cfg: DictConfig, runs: list[str], request: Request) -> int:
    """Runs the command."""
    from vae_cli.console import printable
    from vae_cli.report.page import PAGE, checked_output, write_page
    from vae_cli.report.record import read_runs

    records, notes = read_runs(runs)
    default = Path(runs[0], PAGE) if len(runs) == 1 else Path(PAGE)
    output = default if cfg.output is None else Path(cfg.output)
    write_page(records, cfg.mixed, checked_output(output))
    for note in notes:
        print(f"note: {printable(note)}", file=sys.stderr)
    print(printable(output))
    return 0
