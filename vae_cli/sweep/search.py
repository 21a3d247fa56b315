"""Searches for the best values with Optuna."""

import difflib
import importlib.util
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from hydra.core.override_parser.types import Override

from vae_cli.console import printable
from vae_cli.errors import ConfigError, InvalidOption, VaeCliError, install
from vae_cli.number import KNOWN, OF_TRAINING
from vae_cli.options import NonNegativeInt, PositiveInt, checked
from vae_cli.sweep.folder import SweepFolder
from vae_cli.sweep.strategy import FindNumber, Job, RunJobs, Strategy, find_number

if TYPE_CHECKING:
    from vae_cli.sweep.trials import Trials

PACKAGES = ("optuna", "cmaes")  # of the extra
NAMES = (*(f"validation/{number.name}" for number in KNOWN), *(n.name for n in OF_TRAINING))
STOPS = 3  # of one job, after which it is not launched again


class Search(Strategy):
    """Has each trial's values depend on how those before it did.

    Args:
        resume: Folder of a sweep to resume: its stopped trials come first.
        params: Keys and their values beside those of the command line.
        trials: Of the study in the end, those of other sweeps that share it among them.
        concurrent: Trials that are chosen, run and waited for together.
        failures: Trials of the study that may fail before the search is given up.
        objectives: Names of numbers, each to be as its declaration says is better; with ``-``
            before it small, with ``+`` large.
        sampler: What chooses the values.
        seed: Of its choices.
        pruner: What ends trials early that do worse than others at the same epoch.
        startup_trials: That are to end before ``pruner=median`` ends one early.
        warmup_epochs: That each trial has before it may be ended.
        storage: Address of a database, or path of a journal; None: a file in the sweep's folder.
        study: Name in it; None: that of the sweep's folder.
    """

    @checked
    def __init__(
        self,
        resume: str | None = None,
        params: Mapping[str, str] | None = None,
        trials: PositiveInt = 50,
        concurrent: PositiveInt = 1,
        failures: NonNegativeInt = 5,
        objectives: Sequence[str] = ("validation/elbo",),
        sampler: Literal["tpe", "cmaes", "nsga2", "random"] = "tpe",
        seed: NonNegativeInt = 0,
        pruner: Literal["none", "median", "hyperband"] = "none",
        startup_trials: NonNegativeInt = 5,
        warmup_epochs: NonNegativeInt = 0,
        storage: str | None = None,
        study: str | None = None,
    ) -> None:
        self.objectives = check_objectives(objectives)
        if any(importlib.util.find_spec(name) is None for name in PACKAGES):
            rule = "needs packages of the extra optuna"
            raise VaeCliError(f"sweep=optuna: {rule}. {install('optuna')}.")
        if len(objectives) > 1:
            if pruner != "none":
                rule = "pruning needs one objective, not several"
                raise InvalidOption("pruner", pruner, rule, "Try {pruner}=none.")
            if sampler == "cmaes":
                rule = "goes by one objective"
                raise InvalidOption("sampler", sampler, rule, "Try tpe or nsga2.")
        elif pruner != "none" and not plain_name(objectives[0]).startswith("validation/"):
            rule = "is not known while a trial trains, as a pruner needs"
            raise InvalidOption("objectives", objectives, rule, "Try {pruner}=none.")
        self.resume, self.params = resume, params or {}
        self.trials, self.concurrent, self.failures = trials, concurrent, failures
        self.sampler, self.seed = sampler, seed
        self.pruner, self.startup_trials, self.warmup_epochs = pruner, startup_trials, warmup_epochs
        self.storage, self.study = storage, study

    def run(
        self,
        choices: Sequence[Override],
        folder: str,
        launch: RunJobs,
        trust: bool = False,
        find_number: FindNumber = find_number,
    ) -> None:
        """See the base class.

        Raises:
            VaeCliError: If an objective has no direction, if the study can't be used, or if too
                many trials have failed.
        """
        from vae_cli.sweep.trials import Plan, Trials  # with optuna

        sweep = SweepFolder(folder)
        plan = Plan(
            directions_of(self.objectives, find_number), self.sampler, self.seed, self.pruner,
            self.startup_trials, self.warmup_epochs, self.storage, self.study,
        )  # fmt: skip
        trials, launched = Trials(plan, choices, sweep, trust), Counter[str]()
        try:
            while not sweep.stop.exists():
                self._check_failures(trials)
                own = trials.unfinished()[: self.concurrent]
                missing = min(self.concurrent - len(own), self.trials - trials.count)
                jobs = [*own, *(trials.ask() for _ in range(missing))]
                if not jobs:
                    break
                _check_stops(launched, jobs)
                for job, results in zip(jobs, launch(jobs), strict=True):
                    trials.tell(job, results)
        finally:
            for line in trials.summary():
                print(printable(line))

    def _check_failures(self, trials: "Trials") -> None:
        failed = trials.failed
        if len(failed) > self.failures:
            rule = f"{len(failed)} trials failed, the last of them {failed[-1]}"
            remedy = "Repair the cause, or raise the number; then resume with sweep.resume"
            raise ConfigError("sweep.failures", self.failures, rule, f"{remedy}.")


def _check_stops(launched: Counter[str], jobs: Sequence[Job]) -> None:
    """Counts launches; something outside that stops a job each time would do so for ever."""
    launched.update(job.name for job in jobs)
    for name, times in launched.items():
        if times > STOPS:
            rule = f"was stopped {STOPS} times, and not by its sweep"
            raise VaeCliError(f"{name}: {rule}. Find the cause; then resume with sweep.resume.")


def plain_name(objective: str) -> str:
    """The name of an objective, without the sign of a direction."""
    return objective.removeprefix("-").removeprefix("+")


def check_objectives(objectives: Sequence[str]) -> Sequence[str]:
    """The same objectives.

    Raises:
        ConfigError: If there are none, if one is there twice, or if one is of the test images.
    """
    names = [*map(plain_name, objectives)]
    if len({*names}) < len(names) or not names:
        rule = "needs one or more different names"
        raise InvalidOption("objectives", objectives, rule, "Try {objectives}=[validation/elbo].")
    for name in names:
        if name.startswith("test/"):
            rule = "a best trial chosen by test images looks too good"
            remedy = f"Try validation/{name.removeprefix('test/')}."
            raise InvalidOption("objectives", name, rule, remedy)
    return objectives


def directions_of(objectives: Sequence[str], find: FindNumber) -> dict[str, str]:
    """Whether each objective is maximized or minimized, by name.

    Raises:
        ConfigError: If one has no direction, neither declared nor as a sign.
    """
    ways = {}
    for text in objectives:
        name, number = plain_name(text), find(plain_name(text))
        near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.8)
        if number is None and near:  # a number that nobody declares may have any other name
            rule = "a run has no such number"
            raise ConfigError("sweep.objectives", name, rule, f"Did you mean {near[0]}?")
        declared = number.larger_is_better if number else None
        is_up = {"-": False, "+": True}.get(text[0], declared)
        if is_up is None:
            rule = "has no direction: neither large nor small is declared to be better"
            remedy = f"Try -{name} for the smallest, +{name} for the largest."
            raise ConfigError("sweep.objectives", name, rule, remedy)
        ways[name] = "maximize" if is_up else "minimize"
    return ways
