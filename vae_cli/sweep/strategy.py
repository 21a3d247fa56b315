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
DirectionOf = Callable[[str], bool | None]  # of a number's name: whether larger is better
Launch = Callable[[Sequence[Job]], Sequence[Results | None]]  # None for what failed or was stopped


def known_direction(name: str, declared: Mapping[str, Number] = BY_NAME) -> bool | None:
    """Whether more of a number is better; None if neither is.

    Args:
        name: As in ``results.json``.
        declared: What is known, by name.
    """
    number = declared.get(name) or declared.get(name.rpartition("/")[2])
    return number.larger_is_better if number else None


class Strategy(ABC):
    """Chooses the jobs of a sweep.

    Attributes:
        resume: Folder of the sweep to go on with; None starts a new one.
        params: Keys and their values beside those of the command line, whose own win.
    """

    resume: str | None
    params: Mapping[str, str]

    @abstractmethod
    def run(
        self,
        choices: Sequence[Override],
        folder: str,
        launch: Launch,
        trust: bool = False,
        direction_of: DirectionOf = known_direction,
    ) -> None:
        """Has the jobs run.

        Args:
            choices: Every key with its value or values, each key once.
            folder: Of the sweep.
            launch: Runs jobs, as many at once as the launcher does, and waits for them.
            trust: Whether today's command line trusts what the folder holds.
            direction_of: What is declared of a run's numbers.

        Raises:
            ConfigError: If the values are such that this strategy can't go through them.
        """
