"""A run that another command starts in a separate process."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from vae_cli.config.grammar import quoted
from vae_cli.training.parent import PARENT


def train_command(folder: Path, overrides: Sequence[str], flags: Sequence[str] = ()) -> list[str]:
    """The command line of a run in a certain folder, which resumes what is there."""
    return [
        sys.executable, "-m", "vae_cli.commands.train", *flags, *overrides,
        f"hydra.run.dir={quoted(folder.absolute())}", "resume=auto",
    ]  # fmt: skip


def environment_without(names: Sequence[str]) -> dict[str, str]:
    """This process's environment for such a run, without some variables.

    The run stops when this process has died.
    """
    environment = {name: value for name, value in os.environ.items() if name not in names}
    # The package that is installed, not one that lies here.
    return environment | {"PYTHONSAFEPATH": "1", PARENT: str(os.getpid())}
