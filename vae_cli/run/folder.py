"""What a run's folder holds, and where."""

import os
import platform
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

import vae_cli
from vae_cli.errors import ConfigError, Untrusted, VaeCliError, shell_word
from vae_cli.files import UnsafeFile, read_text
from vae_cli.folders import append_text, make_folder, remove_left_over
from vae_cli.run.environment import environment
from vae_cli.run.files import (
    check_no_links,
    check_writable,
    new_folder,
    save_yaml,
    write_json,
    write_text,
)
from vae_cli.run.lock import Held, locked
from vae_cli.run.settings import read_overrides

VERSION = re.compile(r"\d[\w.+]{0,30}")  # what may stand in a command to type
COPY = "Make room, or copy the folder to where you may write."


class RunFolder:
    """The files of one run.

    Attributes:
        config: The configuration, every value concrete.
        overrides: What the user chose, as Hydra's overrides; ``resume`` starts from them.
        composed: What they and the defaults of their day came to, before the data were looked at.
        data: Which images the run has in which part.
        results: The numbers at the end, one flat object.
        evaluation: What vae-eval found, by split.
        evaluated: The values of each image that it found, by split and name.
        finetuned: What vae-finetune found, by setting.
        declared: What the numbers are that this run's own metrics have measured.
        last, previous, best: Checkpoints: the newest one, the one before, and the one with the best
            validation bound.
        figures: Folder of the pictures.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.yaml"
        self.overrides = self.path / "overrides.yaml"
        self.composed = self.path / "composed.yaml"
        self.data = self.path / "data.npz"
        self.results = self.path / "results.json"
        self.evaluation = self.path / "evaluation.json"
        self.evaluated = self.path / "evaluation.npz"
        self.finetuned = self.path / "finetune.json"
        self.declared = self.path / "numbers.json"
        self.last = self.path / "checkpoints" / "last.ckpt"
        self.previous = self.path / "checkpoints" / "previous.ckpt"
        self.best = self.path / "checkpoints" / "best.ckpt"
        self.figures = self.path / "figures"

    @classmethod
    def create(cls, wanted: str, is_named: bool) -> "RunFolder":
        """A new folder.

        Args:
            wanted: Its path.
            is_named: Whether the user named it; else it is numbered if another run has the name.
        """
        folder = cls(new_folder(wanted, is_named))
        folder.prepare()
        return folder

    def prepare(self) -> None:
        """Makes the folders within."""
        make_folder(self.best.parent)
        make_folder(self.figures)

    @contextmanager
    def held(self, key: str = "resume") -> Iterator[None]:
        """Keeps other processes from training in the folder; a dead one no longer does.

        Args:
            key: Which the user gave the folder to.

        Raises:
            VaeCliError: If another process trains in it, or if nothing can be written there.
        """
        check_writable(key, self.path, COPY)
        with self.locked("lock", 0, key, "trains there. Wait, or stop it"):
            for folder in (self.path, self.best.parent, self.figures, self.path / "projector"):
                with suppress(OSError):  # not there
                    remove_left_over(folder)
            yield

    @contextmanager
    def locked(self, name: str, seconds: float, key: str, doing: str) -> Iterator[None]:
        """Holds a lock file of the folder.

        Args:
            name: Of the file.
            seconds: How long to wait for another process.
            key: Which the user gave the folder to.
            doing: What another process does that holds it, and the remedy: a clause.

        Raises:
            VaeCliError: If another process holds it all the time, or it cannot be held.
        """
        path, holder = self.path / name, f"process {os.getpid()} on {platform.node()}\n"
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(path, seconds, holder))
            except Held as other:
                raise VaeCliError(f"{self.path}: {other} {doing}.") from other
            except UnsafeFile as error:
                raise ConfigError(key, self.path, f"its {error}", "Remove that file.") from error
            except OSError as error:
                rule = f"its file {name} can't be locked ({error.strerror})"
                raise ConfigError(key, self.path, rule, COPY) from error
            yield

    @classmethod
    def existing(cls, path: str, key: str = "resume") -> "RunFolder":
        """The folder of a run that was started before.

        Raises:
            ConfigError: If it is missing, or holds links, devices or pipes, or folders for files.
        """
        folder = cls(path)
        if folder.path.is_dir():
            check_no_links(key, folder.path)
        if not folder.overrides.is_file():
            rule = "there is no such folder"
            if folder.path.exists():
                rule = "is not the folder of a run"
            run = next((p for p in folder.path.parents if cls(p).overrides.is_file()), None)
            remedy = f"Try {key}={shell_word(run)}." if run else "It should hold overrides.yaml."
            raise ConfigError(key, path, rule, remedy)
        for file in (folder.config, folder.composed, folder.data, folder.results,
                     folder.evaluation, folder.evaluated, folder.finetuned,
                     folder.declared):  # fmt: skip
            if file.is_dir():
                rule = f"its {file.name} is a folder, not a file"
                raise ConfigError(key, path, rule, "Is it whole, and a run of vae-train?")
        return folder

    def check_version(self, error: Exception) -> None:
        """Says which version of the package a run wants, where that may be why it can't be had.

        Raises:
            VaeCliError: If the run is of another version.
        """
        if isinstance(error, Untrusted):
            return
        environment = self.path / "environment.txt"
        try:
            lines = read_text(environment) if environment.is_file() else ""
        except UnsafeFile:
            lines = ""
        version = next((v for n, _, v in (x.partition(" ") for x in lines.splitlines())
                        if n == "vae-cli"), None)  # fmt: skip
        if version and VERSION.fullmatch(version) and version != vae_cli.__version__:
            raise VaeCliError(
                f"{self.path} is of vae-cli {version}, and this is {vae_cli.__version__}: "
                f"{str(error).partition('. ')[0]}. Try pip install vae-cli=={version}."
            ) from error

    def saved_overrides(self) -> list[str]:
        """The overrides of the run's start and of each resume, as texts that nobody has checked."""
        try:
            return read_overrides(self.overrides)
        except UnsafeFile as error:
            raise ConfigError("resume", self.path, str(error), "Start the run anew.") from error

    def describe(
        self,
        config: DictConfig,
        composed: DictConfig,
        overrides: Sequence[str],
        command: Sequence[str],
    ) -> None:
        """Writes what the run is: configuration, choices, command line and environment."""
        save_yaml(self.overrides, OmegaConf.create(list(overrides)))  # first: now it can be resumed
        save_yaml(self.composed, composed)
        describe(self.path, config, command)

    def write_results(self, results: Mapping[str, Any]) -> None:
        """Writes the numbers of a finished run."""
        write_json(self.results, results)


def describe(path: Path, config: DictConfig, command: Sequence[str]) -> None:
    """Writes into a folder what its contents come from, whatever command makes them."""
    save_yaml(path / "config.yaml", config)
    try:
        append_text(path / "command.txt", shlex.join(command) + "\n")
    except UnsafeFile as error:
        raise VaeCliError(f"{path}: {error}. Remove that file.") from error
    write_text(path / "environment.txt", environment())
