"""vae-compare: runs side by side."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from vae_cli.commands.entry import command
from vae_cli.commands.runs import places_of
from vae_cli.config.nearest import suggest
from vae_cli.config.request import Request
from vae_cli.errors import ConfigError

if TYPE_CHECKING:
    from vae_cli.report.sheet import Sheet


@command("compare", places_of, takes_places=True)
def main(cfg: DictConfig, runs: list[str], request: Request) -> int:
    """Runs the command."""
    if not cfg.metrics:
        raise ConfigError("metrics", [], "needs one number at least", "Try metrics=[elbo].")
    from vae_cli.console import printable
    from vae_cli.report.comparison import comparison_sheets
    from vae_cli.report.conditions import filtered
    from vae_cli.report.ledger import beside, read_entries, run_paths
    from vae_cli.terminal.comparable import columns

    entries, notes = read_entries(run_paths(runs), cfg.split)
    for note in notes:
        print(f"note: {printable(note)}", file=sys.stderr)
    metrics = list(cfg.metrics)
    if not request.names("metrics"):
        metrics = columns([entry.numbers for entry in entries], metrics)
    else:
        known = sorted({key for entry in entries for key in entry.numbers})
        for name in cfg.metrics if entries else ():
            if name not in known:
                raise ConfigError("metrics", name, "no run has it", suggest(name, known))
    kept = filtered(entries, cfg.where.strip("'\"")) if cfg.where else entries
    if not kept:
        what = "no run matches" if entries else "no run there has numbers"
        key, value = ("where", cfg.where) if entries else ("run", ",".join(runs))
        raise ConfigError(key, value, what, f"There are {len(entries)} runs with numbers.")
    if "reference" in cfg:
        from vae_cli.config.construct import construct

        reference = construct(cfg, "reference")
        rows = beside(kept, reference)
        about = reference.source if rows else "no run there has the reference's data and treatment"
        print(f"note: {about}", file=sys.stderr)
        kept = [*kept, *rows]
    found = comparison_sheets(kept, list(cfg.over), metrics, cfg.mixed, by_test=cfg.rank == "test")
    _write(found, cfg.format, cfg.output)
    return 0


def _write(found: list["Sheet"], form: str, output: str | None) -> None:
    from vae_cli.console import make_console, printable
    from vae_cli.report.formats import MARKS, WRITTEN
    from vae_cli.run.files import begins_like, place_of_output, write_text
    from vae_cli.terminal.table import print_table

    if form == "terminal":
        if output is not None:
            rule = "a file needs a format"
            raise ConfigError("output", output, rule, "Try format=csv, markdown or latex.")
        console = make_console()
        for sheet in found:
            print_table(sheet.shown(), console)
        return
    text = WRITTEN[form](found)
    if output is None:
        print(text, end="")
        return
    place = place_of_output(
        Path(output), lambda path: begins_like(path, MARKS[form]), f"a {form} table of vae-compare"
    )
    try:
        write_text(place, text)
    except OSError as error:
        rule = f"can't be written ({error.strerror})"
        raise ConfigError("output", output, rule, "Name another file.") from error
    print(printable(output))
