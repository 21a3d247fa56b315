"""vae-train: from one command line to a trained, measured variational autoencoder."""

import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

# What takes long to import is imported once signals are received.
from vae_cli.errors import Interrupted, VaeCliError
from vae_cli.streams import prepare_streams
from vae_cli.training.parent import follow_parent
from vae_cli.training.signals import GRACE, Signals
from vae_cli.training.wish import Wish

if TYPE_CHECKING:
    from rich.console import Console

    from vae_cli.commands.parser import Parser
    from vae_cli.config.request import Request
    from vae_cli.launch.meeting import Meeting
    from vae_cli.run.folder import RunFolder
    from vae_cli.training.experiment import Experiment

ALONE = ("multirun", "cfg", "info", "hydra_help")
HYDRAS = (*ALONE, "resolve", "package")  # flags that ask for no single run
INFO = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")  # as Hydra has it


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the installed script's entry.

    Args:
        argv: Arguments without the program's name; those of the process by default.

    Returns:
        The exit code: 0, 2 after one line about a mistake, 75 if the run was stopped.
    """
    prepare_streams()  # before anything else is opened
    with Signals() as signals:
        code = _code(signals, argv)
        # As a program: Python takes seconds to tidy up, in which signals would kill. A launcher,
        # though, has its own things to clean up.
        if argv is None and not {"-m", "--multirun"} & {*sys.argv}:
            logging.shutdown()
            with suppress(OSError):
                sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return code


def _code(signals: Signals, argv: Sequence[str] | None) -> int:
    from vae_cli.commands.entry import run_command
    from vae_cli.launch.launch import SHARED_FOLDER
    from vae_cli.launch.meeting import Meeting

    meeting = Meeting()
    signals.farewells.append(meeting.stop)

    def is_silent() -> bool:
        """Whether the run has a first process, which speaks for this one."""
        return meeting.is_second or SHARED_FOLDER in os.environ

    signals.last_words = lambda: "" if is_silent() else "stopped before it began"
    is_rank = SHARED_FOLDER in os.environ
    if is_rank:  # a process of a run that trains: they agree to stop together
        signals.defer(GRACE)
    follow_parent(signals, is_rank)
    code = run_command("vae-train", partial(_main, signals, meeting), argv, is_silent)
    signals.defer(GRACE)  # the code stands
    meeting.leave(code)
    return code


def _main(signals: Signals, meeting: "Meeting", arguments: list[str]) -> int:
    request = _parser().read(arguments)
    if request.flags["help"]:
        from vae_cli.help.show import help_of

        print(help_of("train", request.flags["words"], request.config_dir))
        return 0
    _check_flags(request)
    if any(request.flags[name] for name in HYDRAS):
        return _call_hydra(request, signals)
    if request.within("sweep").overrides:
        raise VaeCliError("sweep: needs vae-train -m, which makes several runs.")
    return _run(request, signals, meeting)


def _parser() -> "Parser":
    from vae_cli.commands.parser import Parser

    parser = Parser("train")
    parser.add_argument("--config-name", "-cn", default="train")
    parser.add_argument("--multirun", "-m", action="store_true")
    parser.add_argument("--resolve", action="store_true")
    parser.add_argument("--hydra-help", action="store_true")
    parser.add_argument("--cfg", "-c", choices=["job", "hydra", "all"])
    parser.add_argument("--package", "-p")
    parser.add_argument("--info", "-i", nargs="?", const="all", choices=INFO)
    return parser


def _check_flags(request: "Request") -> None:
    """Checks that the flags go together."""
    flags = request.flags
    if (flags["package"] or flags["resolve"]) and not flags["cfg"]:
        raise VaeCliError("--package and --resolve: need --cfg. Try --cfg job.")
    if flags["resolve"] and flags["cfg"] != "job":
        raise VaeCliError("--resolve: goes with --cfg job, as Hydra's part depends on the run.")
    alone = [name for name in ALONE if flags[name]]
    if len(alone) > 1:
        both = " and ".join(f"--{name.replace('_', '-')}" for name in alone)
        raise VaeCliError(f"{both}: do not go together. Leave one out.")


def _call_hydra(request: "Request", signals: Signals) -> int:
    """Runs a sweep, or shows what Hydra knows of a configuration."""
    from vae_cli.commands.sweep import call_hydra, sweep
    from vae_cli.config.sweep import check_not_resumed
    from vae_cli.launch.launch import find_launch

    check_not_resumed(request.value("resume"))
    if request.flags["multirun"]:
        if (find_launch().size or 1) > 1:
            rule = "each process would run the whole sweep. Try accelerator.devices=N in the sweep"
            raise VaeCliError(f"--multirun: {rule}.")
        signals.release()  # to the sweep, which stops its jobs
        return sweep(request)
    request.compose()
    return call_hydra([*request.hydra_flags, *request.texts], request.config_dir)


def _run(request: "Request", signals: Signals, meeting: "Meeting") -> int:
    """One run. Whatever happens to it once it has to stop, it is stopped."""
    from vae_cli.commands.runs import find_run
    from vae_cli.run.plan import Process
    from vae_cli.run.processes import meet
    from vae_cli.run.session import decide, execute

    began = time.perf_counter()
    with meeting:
        try:
            launch = meet(request, meeting, find_run)
            process = Process(launch, meeting, signals, began, _announce, _conclude)
            execute(decide(request, process, find_run), process)
        except BaseException as error:
            if signals.wish is not Wish.STOP or isinstance(error, Interrupted):
                raise
            raise Interrupted(signals.last_words()) from error
    return 0


def _announce(experiment: "Experiment", console: "Console") -> None:
    from vae_cli.terminal.summary import print_lines, print_warning

    print_lines(experiment.inferred, console)
    for doubt in experiment.doubts:
        print_warning(doubt, console)


def _conclude(results: Mapping[str, Any], folder: "RunFolder", console: "Console") -> None:
    from vae_cli.terminal.summary import print_summary

    print_summary(results, folder, console)


if __name__ == "__main__":
    sys.exit(main())
