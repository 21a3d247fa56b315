"""vae-train: from one command line to a trained, measured variational autoencoder."""

import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

# What takes long to import is imported once signals are received.
from vae_cli.errors import Interrupted, VaeCliError
from vae_cli.streams import prepare_streams
from vae_cli.training.parent import follow_parent
from vae_cli.training.signals import GRACE, Signals
from vae_cli.training.wish import Wish

if TYPE_CHECKING:
    from vae_cli.launch.meeting import Meeting

ALONE = ("multirun", "cfg", "info", "hydra_help", "shell_completion")
SHELLS = ("bash", "fish", "zsh")
INFO = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")  # as Hydra has it


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the installed script's entry.

    Args:
        argv: Arguments without the program's name; those of the process by default.

    Returns:
        The exit code: 0, 2 after one line about a mistake, 75 if the run was stopped and can go on.
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
    from vae_cli.commands.parser import Parser

    parser = Parser("train")
    parser.add_argument("--config-name", "-cn", default="train")
    hydras = [parser.add_argument("--multirun", "-m", action="store_true")]
    hydras += [parser.add_argument("--resolve", action="store_true")]
    hydras += [parser.add_argument("--hydra-help", action="store_true")]
    hydras += [parser.add_argument("--cfg", "-c", choices=["job", "hydra", "all"])]
    hydras += [parser.add_argument("--package", "-p")]
    hydras += [parser.add_argument("--info", "-i", nargs="?", const="all", choices=INFO)]
    hydras += [parser.add_argument("--shell-completion", "-sc", action="store_true")]
    own = parser.read(arguments)
    if own.help:
        from vae_cli.config.help import help_of

        print(help_of("train"))
        return 0
    if (own.package or own.resolve) and not own.cfg:
        raise VaeCliError("--package and --resolve: go with --cfg. Try --cfg job.")
    if own.resolve and own.cfg != "job":
        raise VaeCliError("--resolve: goes with --cfg job, as Hydra's part depends on the run.")
    alone = [name for name in ALONE if getattr(own, name)]
    if len(alone) > 1:
        both = " and ".join(f"--{name.replace('_', '-')}" for name in alone)
        raise VaeCliError(f"{both}: do not go together. Leave one out.")
    if any(getattr(own, action.dest) for action in hydras):
        if any(text.startswith("resume=") for text in own.overrides):
            rule = "goes on with one run. Leave out the flags; a sweep has sweep.resume=FOLDER"
            raise VaeCliError(f"resume: {rule}.")
        from vae_cli.commands.sweep import call_hydra, sweep
        from vae_cli.config.compose import compose
        from vae_cli.launch.launch import find_launch

        if own.multirun:
            if (find_launch().size or 1) > 1:
                rule = "each process would do it all. Try accelerator.devices=N in the sweep"
                raise VaeCliError(f"--multirun: {rule}.")
            signals.release()  # to the sweep, which stops its jobs
            return sweep(own.config_name, own.overrides, own.config_dir)
        if own.shell_completion:
            _check_completion(own.overrides)
        else:
            compose(own.config_name, own.overrides, own.config_dir)
        return call_hydra([*own.flags, *own.overrides], own.config_dir)
    if any(text.startswith("sweep") for text in own.overrides):
        raise VaeCliError("sweep: is about several runs. Try it behind vae-train -m.")
    command = ["vae-train", *arguments]
    return _run(signals, meeting, own.config_name, own.overrides, own.config_dir, command)


def _check_completion(overrides: list[str]) -> None:
    """Checks that Hydra's completion gets one of its words, and nothing else."""
    verbs = ("install", "uninstall", "query")  # the last is for what the first installs
    known = [f"{verb}={shell}" for verb in verbs for shell in SHELLS]
    if len(overrides) != 1 or overrides[0] not in known:
        rule = "takes install=SHELL or uninstall=SHELL"
        raise VaeCliError(f"--shell-completion: {rule}. Try {' or '.join(known[:3])}.")


def _run(
    signals: Signals,
    meeting: "Meeting",
    config_name: str,
    overrides: list[str],
    config_dir: str | None,
    command: list[str],
) -> int:
    """One run. Whatever happens to it once it has to stop, it is stopped."""
    from vae_cli.commands.one_run import one_run

    with meeting:
        try:
            return one_run(signals, meeting, config_name, overrides, config_dir, command)
        except BaseException as error:
            if signals.wish is not Wish.STOP or isinstance(error, Interrupted):
                raise
            raise Interrupted(signals.last_words()) from error


if __name__ == "__main__":
    sys.exit(main())
