"""What a sweep's folder holds, and where."""

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from omegaconf import OmegaConf

from vae_cli.config.grammar import key_of
from vae_cli.errors import ConfigError, Interrupted, Pruned, shell_word
from vae_cli.files import UnsafeFile, open_regular, read_json, read_yaml
from vae_cli.run.files import check_no_links, save_yaml, write_json
from vae_cli.run.folder import RunFolder
from vae_cli.run.recorded import is_number, read_results
from vae_cli.sweep.strategy import Job, Results

KEY = "hydra.sweep.dir"
LARGEST_LIST = 1 << 24  # bytes of jobs.yaml; ten thousand jobs take a fifth
NAME = re.compile(r"[\w+=-][\w.+=-]*")  # of a job, and of its folder
LAUNCHERS = (".submitit",)  # what a launcher keeps for itself, where it makes links
TAIL = 10_000  # bytes at a file's end in which its last line is looked for
OUTPUT, ERRORS = "output.txt", "error.txt"  # what a job says, in its folder


class Ending(NamedTuple):
    """How a job has ended.

    Attributes:
        exit_code: Of its process; negative for the signal that killed it.
        seconds: That it took.
    """

    exit_code: int
    seconds: float


class SweepFolder:
    """The files of a sweep, beside the folders of its runs.

    Attributes:
        jobs: Which there are, with what each is given.
        stop: While this file is there no job is begun, and those that run are saved and stopped.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.jobs = self.path / "jobs.yaml"
        self.stop = self.path / "stop"

    @classmethod
    def create(cls, wanted: str, is_named: bool) -> "SweepFolder":
        """The folder of a new sweep: a new one, or one of the user's that holds no sweep.

        Args:
            wanted: Its path.
            is_named: Whether the user named it; else it is numbered if another sweep has the name.

        Raises:
            ConfigError: If it cannot be made, or holds a sweep.
        """
        path, number = Path(wanted), 1
        while True:
            try:
                path.mkdir(parents=True, exist_ok=is_named)  # atomic: one sweep makes it
                return cls(path)
            except FileExistsError as error:
                if is_named:
                    raise ConfigError(KEY, path, "is a file", "Name a folder.") from error
                number += 1
                path = Path(f"{wanted}_{number}")
            except OSError as error:
                rule = f"can't be made ({error.strerror})"
                raise ConfigError(KEY, path, rule, f"Try {KEY}=SOME_WRITABLE_FOLDER.") from error

    @contextmanager
    def held(self, is_new: bool) -> Iterator[None]:
        """Keeps other sweeps out of the folder; a dead process no longer does.

        A folder in which nothing was begun, as after a mistake, is removed.

        Args:
            is_new: Whether the folder is to hold no sweep yet.

        Raises:
            VaeCliError: If another process holds it, if it can't be written, or holds a sweep.
        """
        with RunFolder(self.path).held("sweep.resume" if self.jobs.is_file() else KEY):
            if is_new and self.jobs.is_file():
                remedy = f"Try sweep.resume={shell_word(self.path)}."
                raise ConfigError(KEY, self.path, "belongs to another sweep", remedy)
            try:
                yield
            finally:
                if [child.name for child in self.path.iterdir()] == ["lock"]:
                    shutil.rmtree(self.path)

    @classmethod
    def existing(cls, path: str) -> "SweepFolder":
        """The folder of a sweep that was started before.

        Raises:
            ConfigError: If it is missing, or holds links, devices or pipes.
        """
        folder = cls(path)
        if folder.path.is_dir():
            check_no_links("sweep.resume", folder.path, LAUNCHERS)
        if not folder.jobs.is_file():
            rule = "is not of a sweep" if folder.path.is_dir() else "there is no such folder"
            raise ConfigError("sweep.resume", path, rule, "It should hold jobs.yaml.")
        return folder

    def known_jobs(self) -> dict[str, list[str]]:
        """What each job is given, by its name."""
        if not self.jobs.is_file():
            return {}
        try:
            known = read_yaml(self.jobs, LARGEST_LIST)
        except UnsafeFile as error:
            raise self._damaged(str(error)) from error
        if not isinstance(known, dict) or not all(map(_is_job, known, known.values())):
            raise self._damaged("its jobs.yaml does not list jobs")
        return {name: without_trust(given) for name, given in known.items()}

    def _damaged(self, rule: str) -> ConfigError:
        return ConfigError("sweep.resume", self.path, rule, "Start the sweep anew.")

    def add(self, jobs: Sequence[Job]) -> None:
        """Adds jobs to the list.

        Raises:
            ConfigError: If a job of the same name was given something else.
        """
        known = self.known_jobs()
        for job in jobs:
            given = {*without_trust(job.overrides)}
            before = {*known.get(job.name, given)}
            if given != before:
                other = " ".join(sorted(before - given)) or f"{min(given - before)} left out"
                rule = f"its {job.name} was run with {other}"
                remedy = "Resume with the same command, or start a new sweep."
                raise ConfigError("sweep.resume", self.path, rule, remedy)
        new = {job.name: without_trust(job.overrides) for job in jobs}
        save_yaml(self.jobs, OmegaConf.create(known | new))

    def run_of(self, job: Job) -> RunFolder:
        """The folder of a job's run."""
        return RunFolder(self.path / job.name)

    def results_of(self, job: Job) -> Results | None:
        """How a job ended; None if it has not."""
        file = self.run_of(job).results
        try:
            return read_results(file, lambda text: None) if file.is_file() else None
        except UnsafeFile:
            return None

    def write_ending(self, name: str, ending: Ending) -> None:
        """Writes down how a job has ended."""
        write_json(self._ending(name), ending._asdict())

    def forget_ending(self, name: str) -> None:
        """Takes away how a job ended the last time."""
        self._ending(name).unlink(missing_ok=True)

    def ending_of(self, name: str) -> Ending | None:
        """How a job has ended; None while it runs, or if it never began."""
        file = self._ending(name)
        try:
            found = read_json(file) if file.is_file() else {}
        except UnsafeFile:
            return None
        exit_code, seconds = found.get("exit_code"), found.get("seconds")
        if not isinstance(exit_code, int) or not is_number(seconds):
            return None
        return Ending(exit_code, seconds)

    def _ending(self, name: str) -> Path:
        return self.path / name / "job.json"

    def is_pruned(self, name: str) -> bool:
        """Whether a study has ended a job."""
        ending = self.ending_of(name)
        return ending is not None and ending.exit_code == Pruned.exit_code

    def why(self, name: str) -> str:
        """Why a job has no results, in a line."""
        ending = self.ending_of(name)
        if ending is None:
            return "did not finish"
        if ending.exit_code == Interrupted.exit_code:
            return "was stopped, and resumes with the sweep"
        last = last_line(self.path / name / ERRORS)
        killed = f"was killed by signal {-ending.exit_code}"
        return last.removeprefix("vae-train: ") or (
            killed if ending.exit_code < 0 else f"exited with code {ending.exit_code}"
        )


def last_line(path: Path) -> str:
    """The last line of a file that is not empty; an empty text if all are."""
    try:
        with open_regular(path) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
            text = file.read(TAIL).decode(errors="replace")
    except (OSError, UnsafeFile):
        return ""
    return next((line for line in reversed(text.split("\n")) if line.strip()), "")


def is_about_trust(text: str) -> bool:
    """Whether an override is about ``trust``, in any form."""
    return key_of(text) == "trust"


def without_trust(overrides: Sequence[str]) -> list[str]:
    """The overrides that make a job: only today's command line gives ``trust``."""
    return [text for text in overrides if not is_about_trust(text)]


def _is_job(name: str, given: object) -> bool:
    is_list = isinstance(given, list) and all(isinstance(text, str) for text in given)
    return is_list and NAME.fullmatch(name) is not None
