"""What all ways to choose the jobs of a sweep share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from hydra.core.override_parser.types import Override

from vae_cli.number import BY_NAME, Number


class Job(NamedTuple):
    """A run of a sweep.

    Attributes:
        name: Of its folder.
        overrides: What it is given on its command line.
        environment: Variables that it is given beside those of whatever starts it.
    """

    name: str
    overrides: Sequence[str]
    environment: Mapping[str, str] = MappingProxyType({})


Results = Mapping[str, Any]  # of a run, as in its results.json
FindNumber = Callable[[str], Number | None]  # by its key in a run's results.json
RunJobs = Callable[[Sequence[Job]], Sequence[Results | None]]  # None for what failed or was stopped


def find_number(key: str, declared: Mapping[str, Number] = BY_NAME) -> Number | None:
    """What is declared of a number, None if nothing is.

    Args:
        key: In a run's ``results.json``.
        declared: Numbers by name.
    """
    return declared.get(key) or declared.get(key.rpartition("/")[2])


class Strategy(ABC):
    """Chooses the jobs of a sweep.

    Attributes:
        resume: Folder of the sweep to resume; None starts a new one.
        params: Keys and their values beside those of the command line, whose own win.
    """

    resume: str | None
    params: Mapping[str, str]

    @abstractmethod
    def run(
        self,
        choices: Sequence[Override],
        folder: str,
        launch: RunJobs,
        trust: bool = False,
        find_number: FindNumber = find_number,
    ) -> None:
        """Has the jobs run.

        Args:
            choices: Every key with its value or values, each key once.
            folder: Of the sweep.
            launch: Runs jobs, as many at once as the launcher does, and waits for them.
            trust: Whether today's command line trusts what the folder holds.
            find_number: What is declared of a run's numbers.

        Raises:
            ConfigError: If the values are such that this strategy can't go through them.
        """
