"""Every combination of values."""

from collections.abc import Mapping, Sequence
from itertools import product

from hydra.core.override_parser.types import Override

from vae_cli.errors import ConfigError
from vae_cli.sweep.folder import SweepFolder
from vae_cli.sweep.names import job_names
from vae_cli.sweep.strategy import FindNumber, Job, RunJobs, Strategy, find_number


class Grid(Strategy):
    """Runs every combination of the values that the command line gives to keys.

    Args:
        resume: Folder of a sweep to resume: missing and failed jobs are run.
        params: Keys and their values beside those of the command line.
    """

    def __init__(self, resume: str | None = None, params: Mapping[str, str] | None = None) -> None:
        self.resume, self.params = resume, params or {}

    def run(
        self,
        choices: Sequence[Override],
        folder: str,
        launch: RunJobs,
        trust: bool = False,
        find_number: FindNumber = find_number,
    ) -> None:
        """See the base class."""
        launch(_as_known(jobs_of(choices), SweepFolder(folder).known_jobs()))


def jobs_of(choices: Sequence[Override]) -> list[Job]:
    """A job for each combination of values, in the order in which they are written.

    Raises:
        ConfigError: If a key has a range without steps.
    """
    combinations = list(dict.fromkeys(product(*map(_values, choices))))
    varying = [i for i, each in enumerate(zip(*combinations, strict=True)) if len(set(each)) > 1]
    names = job_names([[texts[i] for i in varying] for texts in combinations])
    return [Job(name, texts) for name, texts in zip(names, combinations, strict=True)]


def _as_known(jobs: Sequence[Job], known: Mapping[str, Sequence[str]]) -> list[Job]:
    """The jobs, under the names that those have which were there before.

    A value more can change what varies, and with it the names.
    """
    names = {frozenset(given): name for name, given in known.items()}
    return [job._replace(name=names.get(frozenset(job.overrides), job.name)) for job in jobs]


def _values(choice: Override) -> list[str]:
    key = choice.get_key_element()
    if not choice.is_sweep_override():
        return [str(choice.input_line)]
    if not choice.is_discrete_sweep():
        value = str(choice.input_line).partition("=")[2]
        rule = "a grid needs values, but this is a range"
        raise ConfigError(key, value, rule, "List values, or try sweep=optuna.")
    return [f"{key}={value}" for value in choice.sweep_string_iterator()]
