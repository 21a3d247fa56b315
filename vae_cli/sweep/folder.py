"""What a sweep's folder holds, and where."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from omegaconf import OmegaConf

from vae_cli.errors import ConfigError, Interrupted, Pruned
from vae_cli.files import UnsafeFile, open_regular, read_json, read_yaml
from vae_cli.run.files import check_no_links, save_yaml, write_json
from vae_cli.run.folder import RunFolder
from vae_cli.run.recorded import is_number, read_results
from vae_cli.sweep.strategy import Job, Results

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
    def existing(cls, path: str) -> "SweepFolder":
        """The folder of a sweep that was started before.

        Raises:
            ConfigError: If it is missing, or holds links, devices or pipes.
        """
        folder = cls(path)
        if folder.path.is_dir():
            check_no_links("sweep.resume", folder.path, LAUNCHERS)
        if not folder.jobs.is_file():
            rule = "is not a sweep's" if folder.path.is_dir() else "there is no such folder"
            raise ConfigError("sweep.resume", path, rule, "It should hold jobs.yaml.")
        return folder

    def known_jobs(self) -> dict[str, list[str]]:
        """What each job is given, by its name.

        Raises:
            ConfigError: If the list can't be read.
        """
        if not self.jobs.is_file():
            return {}
        try:
            found = read_yaml(self.jobs)
            if not isinstance(found, dict) or not all(map(_is_job, found.items())):
                raise UnsafeFile("it does not hold jobs")
            return found
        except UnsafeFile as error:
            rule = f"its jobs.yaml can't be read ({error})"
            raise ConfigError("sweep.resume", self.path, rule, "Start the sweep anew.") from error

    def add(self, jobs: Sequence[Job]) -> None:
        """Adds jobs to the list.

        Raises:
            ConfigError: If a job of the same name was given something else.
        """
        known = self.known_jobs()
        for job in jobs:
            given, before = {*job.overrides}, {*known.get(job.name, job.overrides)}
            if given != before:
                other = " ".join(sorted(before - given)) or f"nothing like {min(given - before)}"
                rule = f"its {job.name} was run with {other}"
                remedy = "Go on with the same command, or start a new sweep."
                raise ConfigError("sweep.resume", self.path, rule, remedy)
        self.path.mkdir(parents=True, exist_ok=True)
        save_yaml(self.jobs, OmegaConf.create(known | {j.name: [*j.overrides] for j in jobs}))

    def run_of(self, job: Job) -> RunFolder:
        """The folder of a job's run."""
        return RunFolder(self.path / job.name)

    def results_of(self, job: Job) -> Results | None:
        """What a job has come to; None if it has not."""
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
            return "was not run to its end"
        if ending.exit_code == Interrupted.exit_code:
            return "was stopped, and goes on when the sweep does"
        last = last_line(self.path / name / ERRORS)
        killed = f"was killed by signal {-ending.exit_code}"
        return last.removeprefix("vae-train: ") or (
            killed if ending.exit_code < 0 else f"ended with {ending.exit_code}"
        )


def last_line(path: Path) -> str:
    """The last line of a file that is not empty, of so many bytes; empty if there is none."""
    try:
        with open_regular(path) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
            text = file.read(TAIL).decode(errors="replace")
    except (OSError, UnsafeFile):
        return ""
    return next((line for line in reversed(text.split("\n")) if line.strip()), "")


def _is_job(item: tuple[object, object]) -> bool:
    """Whether an entry of a list is a job: a name that is one folder's, and texts."""
    name, given = item
    is_name = isinstance(name, str) and name == Path(name).name and name not in ("", "..")
    is_name = is_name and str(name).isprintable()
    return is_name and isinstance(given, list) and all(isinstance(text, str) for text in given)
