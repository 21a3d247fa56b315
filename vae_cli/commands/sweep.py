"""vae-train -m: many runs, and the table of their results."""

import contextlib
import errno
import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import hydra

from vae_cli.config.folders import OWN_FOLDERS, named_folders, search_path, search_path_override
from vae_cli.config.grammar import quoted
from vae_cli.config.request import Request
from vae_cli.config.sweep import compose_sweep
from vae_cli.errors import Interrupted, VaeCliError, shell_word
from vae_cli.streams import OutputError

if TYPE_CHECKING:
    from vae_cli.sweep.folder import SweepFolder

FAILED = 1  # the exit code if a job did


def sweep(request: Request) -> int:
    """Runs a sweep.

    Returns:
        The exit code: 0, 1 if a job failed, 75 if the sweep was stopped and can be resumed.

    Raises:
        VaeCliError: With one line for the user, before any job has run.
    """
    from vae_cli.sweep.warm import close_server

    try:
        return _sweep(request)
    finally:
        close_server()


def _sweep(request: Request) -> int:
    from vae_cli.sweep.driver import drive
    from vae_cli.sweep.folder import SweepFolder
    from vae_cli.sweep.job import expect_jobs

    name, texts, config_dir = request.config_name, request.texts, request.config_dir
    settings, hydras = compose_sweep(name, texts, config_dir, expect_jobs)
    if is_new := settings.resume is None:
        folder = SweepFolder.create(hydras.sweep.dir, request.names("hydra.sweep.dir"))
    else:
        folder = SweepFolder.existing(settings.resume)
    more, own = [f"hydra.sweep.dir={quoted(folder.path)}"], named_folders(config_dir)
    if own:  # for the jobs, too
        places = os.pathsep.join(map(str, own))
        more.append(f"+hydra.job.env_set.{OWN_FOLDERS}={quoted(places)}")
    with folder.held(is_new):
        drive(name, [*texts, *more, *search_path_override(search_path(config_dir))], folder)
        failed = print_outcome(folder)
        if folder.stop.exists():
            remedy = f"Resume with the same command and sweep.resume={shell_word(folder.path)}"
            raise Interrupted(f"stopped. {remedy}")
    return FAILED if failed else 0


def call_hydra(arguments: Sequence[str], config_dir: str | None) -> int:
    """Makes Hydra show a configuration or its help; returns the exit code."""
    sys.argv = ["vae-train", *arguments, *search_path_override(search_path(config_dir))]
    run = hydra.main(version_base="1.3", config_path="pkg://vae_cli.conf", config_name="train")
    words = io.StringIO()
    try:
        with contextlib.redirect_stderr(words):
            run(lambda cfg: None)()
    except SystemExit as stop:
        if stop.code:  # after lines of Hydra's own, as about --package
            if OutputError.__name__ in words.getvalue():
                raise OutputError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from stop
            if BrokenPipeError.__name__ in words.getvalue():
                raise BrokenPipeError from stop
            (first, *_) = [*filter(None, words.getvalue().splitlines()), "Hydra can't do it"]
            raise VaeCliError(f"{' '.join(arguments)}: {first.strip().rstrip('.')}.") from stop
    return 0


def print_outcome(folder: "SweepFolder") -> bool:
    """Prints the table of a sweep and writes it.

    Returns:
        Whether a job failed.
    """
    from vae_cli.console import make_console, print_line
    from vae_cli.report.outcome import outcome_of, write_outcome
    from vae_cli.report.sheet import Sheet
    from vae_cli.terminal.table import print_table

    jobs = folder.known_jobs()
    places = {name: folder.path / name for name in jobs}
    done = [str(place) for place in places.values() if (place / "results.json").is_file()]
    lacking = {name: folder.why(name) for name, place in places.items() if str(place) not in done}
    pruned = {name: lacking.pop(name) for name in [*lacking] if folder.is_pruned(name)}
    found = outcome_of(done, jobs, lacking, pruned)
    console = make_console()
    for each in found:
        print_table(each.shown() if isinstance(each, Sheet) else each, console)
    write_outcome(folder.path, found)
    print_line(console, f"sweep      {folder.path} (sweep.csv, sweep.md)")
    return bool(lacking)
