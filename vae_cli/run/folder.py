"""What a run's folder holds, and where."""

import json
import os
import platform
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from omegaconf import DictConfig, OmegaConf

import vae_cli
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.files import UnsafeFile, read_yaml
from vae_cli.run.environment import environment
from vae_cli.run.files import check_writable, new_folder, replaced, save_yaml, write_json

SHARED_FOLDER = "VAE_CLI_RUN_FOLDER"  # tells the other processes of a run which folder is theirs
COPY = "Make room, or copy the folder to where you may write."


class RunFolder:
    """The files of one run.

    Attributes:
        config: The configuration, every value concrete.
        overrides: What the user chose, as Hydra's overrides; ``resume`` starts from them.
        composed: What they and the defaults of their day came to, before the data were looked at.
        results: The numbers at the end, one flat object.
        evaluation: What vae-eval found, by split.
        evaluated: The values of each image that it found, by split and name.
        unfinished: Of an evaluation that was interrupted.
        finetuned: What vae-finetune found, by setting.
        last, previous, best: Checkpoints: the newest one, the one before, and the one with the best
            validation bound.
        figures: Folder of the pictures.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.yaml"
        self.overrides = self.path / "overrides.yaml"
        self.composed = self.path / "composed.yaml"
        self.results = self.path / "results.json"
        self.evaluation = self.path / "evaluation.json"
        self.evaluated = self.path / "evaluation.npz"
        self.unfinished = self.path / "evaluation.partial"
        self.finetuned = self.path / "finetune.json"
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
        self.best.parent.mkdir(exist_ok=True)
        self.figures.mkdir(exist_ok=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps other processes from training in the folder; a dead one no longer does.

        Raises:
            VaeCliError: If another process trains in it, or if nothing can be written there.
        """
        check_writable("resume", self.path, COPY)
        path = self.path / "lock"
        lock = FileLock(path, timeout=0)
        try:
            lock.acquire()
            path.write_text(f"process {os.getpid()} on {platform.node()}\n", encoding="utf-8")
        except Timeout as error:
            holder = path.read_text(encoding="utf-8").strip() or "another process"
            raise VaeCliError(f"{self.path}: {holder} trains there. Wait, or stop it.") from error
        except OSError as error:
            rule = f"can't be held ({error.strerror})"
            raise ConfigError("resume", self.path, rule, COPY) from error
        try:
            yield
        finally:
            lock.release()

    @classmethod
    def existing(cls, path: str, key: str = "resume") -> "RunFolder":
        """The folder of a run that was started before.

        Args:
            path: Of the folder.
            key: Which the user gave it to.

        Raises:
            ConfigError: If there is none.
        """
        folder = cls(path)
        if not folder.overrides.is_file():
            rule = (
                "is not the folder of a run" if folder.path.is_dir() else "there is no such folder"
            )
            raise ConfigError(key, path, rule, "It should hold overrides.yaml.")
        return folder

    def check_version(self, error: Exception) -> None:
        """Says which version of the package a run wants, where that may be why it can't be had.

        Args:
            error: What went wrong.

        Raises:
            VaeCliError: If the run is of another version.
        """
        environment = self.path / "environment.txt"
        lines = environment.read_text(encoding="utf-8") if environment.is_file() else ""
        version = next((v for n, _, v in (x.partition(" ") for x in lines.splitlines())
                        if n == "vae-cli"), None)  # fmt: skip
        if version not in (None, vae_cli.__version__):
            raise VaeCliError(
                f"{self.path} is of vae-cli {version}, and this is {vae_cli.__version__}: "
                f"{str(error).partition('. ')[0]}. Try pip install vae-cli=={version}."
            ) from error

    def saved_overrides(self) -> list[str]:
        """The overrides of the run's start and of each resume, as texts that nobody has checked.

        Raises:
            ConfigError: If they cannot be read.
        """
        try:
            found = read_yaml(self.overrides)
        except UnsafeFile as error:
            raise ConfigError("resume", self.path, str(error), "Start the run anew.") from error
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            rule = f"its {self.overrides.name} is not a list of overrides"
            raise ConfigError("resume", self.path, rule, "Start the run anew.")
        return found

    def describe(
        self,
        config: DictConfig,
        composed: DictConfig,
        overrides: Sequence[str],
        command: Sequence[str],
    ) -> None:
        """Writes what the run is: configuration, choices, command line and environment."""
        save_yaml(self.overrides, OmegaConf.create(list(overrides)))  # first: now it can go on
        save_yaml(self.composed, composed)
        describe(self.path, config, command)

    def write_results(self, results: Mapping[str, Any]) -> None:
        """Writes the numbers of a finished run."""
        write_json(self.results, results)

    def read_evaluation(self) -> dict[str, Any]:
        """What was written of evaluations so far, by split."""
        return _read_json(self.evaluation) if self.evaluated.is_file() else {}

    def write_evaluation(
        self, split: str, record: Mapping[str, Any], values: Mapping[str, np.ndarray], keep: bool
    ) -> None:
        """Adds to the evaluations, in the place of an earlier one of the same split.

        Args:
            split: Name of the split.
            record: Its numbers, all of them.
            values: Of each image, by name.
            keep: Whether the split's values of other names stay, being of the same model.
        """
        known, arrays = self.read_evaluation(), dict[str, np.ndarray]()
        if known:
            with np.load(self.evaluated) as kept:
                stay = [name for name in kept if keep or not name.startswith(f"{split}/")]
                arrays = {name: kept[name] for name in stay}
        arrays |= {f"{split}/{name}": value for name, value in values.items()}
        with replaced(self.evaluated) as partial, partial.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # the stubs take it for an option
        write_json(self.evaluation, {**known, split: record})

    def read_finetuned(self) -> dict[str, Any]:
        """What was written of classifiers so far, by setting."""
        return _read_json(self.finetuned)

    def write_finetuned(self, setting: str, record: Mapping[str, Any]) -> None:
        """Adds numbers to those of classifiers, in the place of earlier ones of the setting."""
        write_json(self.finetuned, {**self.read_finetuned(), setting: record})


def _read_json(path: Path) -> dict[str, Any]:
    """What a file of a run's numbers holds; nothing if there is none."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError(content)
        return content
    except ValueError as error:
        rule = f"its {path.name} can't be read"
        raise ConfigError("run", path.parent, rule, "Delete that file.") from error


def describe(path: Path, config: DictConfig, command: Sequence[str]) -> None:
    """Writes into a folder what its contents come from, whatever command makes them."""
    save_yaml(path / "config.yaml", config)
    with (path / "command.txt").open("a", encoding="utf-8") as file:
        file.write(shlex.join(command) + "\n")
    (path / "environment.txt").write_text(environment(), encoding="utf-8")
