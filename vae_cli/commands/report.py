"""vae-report: runs in one HTML file, to read, to print and to mail."""

import sys
from pathlib import Path

from vae_cli.commands.entry import command
from vae_cli.commands.parser import Parser
from vae_cli.commands.runs import parted, run_folders
from vae_cli.config.compose import compose
from vae_cli.config.help import help_of

PAGE = "report.html"


@command("vae-report")
def main(arguments: list[str]) -> int:
    """Runs the command."""
    own = Parser("report").read(arguments)
    if own.help:
        print(help_of("report"))
        return 0
    named, others = parted(own.overrides)
    cfg, _ = compose("report", others, own.config_dir)
    paths = run_folders(named, "vae-report")
    from vae_cli.console import printable
    from vae_cli.report.page import check_output, write_page
    from vae_cli.report.record import read_runs

    records, notes = read_runs(paths)
    by_itself = Path(paths[0], PAGE) if len(paths) == 1 else Path(PAGE)
    output = by_itself if cfg.output is None else Path(cfg.output)
    check_output(output)
    write_page(records, cfg.mixed, output)
    for note in notes:
        print(f"note: {printable(note)}", file=sys.stderr)
    print(printable(output))
    return 0
