"""The trials of a study, as jobs of a sweep."""

import hashlib
import math
import platform
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hydra.core.override_parser.types import Override
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    NSGAIISampler,
    RandomSampler,
    TPESampler,
)
from optuna.trial import FrozenTrial, TrialState

from vae_cli.config.grammar import parsed
from vae_cli.config.nearest import suggest
from vae_cli.errors import ConfigError, Interrupted
from vae_cli.sweep.folder import SweepFolder
from vae_cli.sweep.names import job_names
from vae_cli.sweep.space import space_of
from vae_cli.sweep.strategy import Job, Results
from vae_cli.training.study import TRIAL, Trial, open_study

NUMBER = re.compile(r"trial-(\d+)")
FOLDER = "folder"  # what a trial in the study says of where its run is
SHOWN = 5  # of the best


class Plan(NamedTuple):
    """What a study does; ``Search`` describes the options."""

    directions: Mapping[str, str]  # of each objective: maximize or minimize
    sampler: str
    seed: int
    pruner: str
    startup_trials: int
    warmup_epochs: int
    storage: str | None
    study: str | None


class Trials:
    """Those of one sweep, in a study that others may share.

    Which of a study's trials are of this sweep its folder knows: a trial that was stopped there
    is resumed there, and nowhere else.

    Args:
        plan: What the study does.
        choices: Every key with its value or values.
        folder: Of the sweep.
        trust: Whether today's command line trusts what the folder holds.

    Raises:
        VaeCliError: If the study can't be used.
    """

    def __init__(
        self, plan: Plan, choices: Sequence[Override], folder: SweepFolder, trust: bool
    ) -> None:
        self.plan, self.folder, self.space = plan, folder, space_of(choices)
        self._check_command()
        database = folder.path.resolve() / "study.db"
        if plan.sampler == "cmaes" and not (plan.storage or trust) and database.exists():
            rule = "keeps its state in the folder's study.db as a pickle, which is a program"
            remedy = "Add trust=true if the folder is yours, or try sweep.sampler=tpe."
            raise ConfigError("sweep.sampler", "cmaes", rule, remedy)
        self.place = plan.storage or f"sqlite:///{database}"
        self.name = plan.study or folder.path.resolve().name
        sampler = _sampler(plan.sampler, 0)
        self.study = open_study(self.place, self.name, plan.directions, sampler)
        self._check_space()
        self.study.sampler = _sampler(plan.sampler, self._seed())

    @property
    def count(self) -> int:
        """Of the study's trials, whatever has become of them."""
        return len(self.study.get_trials(deepcopy=False))

    @property
    def failed(self) -> list[str]:
        """Where the trials ran that have failed."""
        return [_job_of(t) for t in self.study.get_trials(False, (TrialState.FAIL,))]

    def unfinished(self) -> list[Job]:
        """Jobs of this sweep whose trials have not ended: they were stopped, or their driver.

        Raises:
            VaeCliError: If one of them is still being trained, after its driver was killed.
        """
        running = {t.number for t in self.study.get_trials(False, (TrialState.RUNNING,))}
        jobs = []
        for name, given in self.folder.known_jobs().items():
            job = Job(name, given)
            if (number := _number(job)) in running:
                if (run := self.folder.run_of(job)).path.is_dir():
                    with run.held():  # else it would fail, and its trial with it
                        pass
                jobs.append(job._replace(environment=self._environment(number)))
        return jobs

    def ask(self) -> Job:
        """A new trial's job."""
        trial = self.study.ask(dict(self.space.distributions))
        texts = [f"trial-{trial.number:03}", *self.space.settings(trial.params)]
        (name,) = job_names([texts])
        trial.set_user_attr(FOLDER, str(self.folder.path.resolve() / name))
        return Job(name, self.space.overrides(trial.params), self._environment(trial.number))

    def tell(self, job: Job, results: Results | None) -> None:
        """Has the study know what came of a job; of one that was stopped, nothing yet.

        Raises:
            ConfigError: If the results have no number of an objective's name.
        """
        if results is not None:
            values = [_value(results, name) for name in self.plan.directions]
            if all(map(math.isfinite, values)):
                self.study.tell(_number(job), values)
            else:
                self.study.tell(_number(job), state=TrialState.FAIL)
        elif self.folder.is_pruned(job.name):
            self.study.tell(_number(job), state=TrialState.PRUNED)
        elif not self._is_stopped(job):
            self.study.tell(_number(job), state=TrialState.FAIL)

    def summary(self) -> list[str]:
        """Lines about the best trials, and how to see more of the study."""
        done = self.study.get_trials(False, (TrialState.COMPLETE,))
        found = sorted(self.study.best_trials, key=lambda t: -t.number) if done else []
        first = {tuple(t.values): t for t in found}.values()  # of equal ones
        best = sorted(first, key=lambda t: t.number)
        lines = [f"best       {_job_of(trial)}  {self._values_of(trial)}" for trial in best[:SHOWN]]
        if len(best) > SHOWN:
            lines.append(f"           and {len(best) - SHOWN} more that no other trial surpasses")
        return [*lines, f"study      {self.name}: optuna-dashboard {self.place}"]

    def _values_of(self, trial: FrozenTrial) -> str:
        values = zip(self.plan.directions, trial.values, strict=True)
        return "  ".join(f"{name}={value:.6g}" for name, value in values)

    def _is_stopped(self, job: Job) -> bool:
        ending = self.folder.ending_of(job.name)
        if ending is None:
            return self.folder.stop.exists()
        return ending.exit_code == Interrupted.exit_code

    def _environment(self, number: int) -> dict[str, str]:
        """Makes a job ask whether to continue, where it is pruned."""
        plan = self.plan
        if plan.pruner == "none":
            return {}
        (objective,) = plan.directions
        trial = Trial(
            self.place, self.name, number, objective, plan.pruner, plan.startup_trials,
            plan.warmup_epochs,
        )  # fmt: skip
        return {TRIAL: trial.to_text()}

    def _check_command(self) -> None:
        """Raises ConfigError if the sweep's jobs so far differ from new ones in what is fixed.

        What a job is given comes from the folder, and is run again: of its values, too, none may
        make Hydra look up anything.
        """
        keys, fixed = self.space.distributions, {*self.space.fixed}
        for name, given in self.folder.known_jobs().items():
            before = [text for text in given if parsed(text).get_key_element() not in keys]
            looks_up = any("${" in text for text in given if text not in fixed)
            if {*before} != fixed or looks_up:
                rule = f"its {name} was run with {' '.join(given if looks_up else before)}"
                remedy = "Resume with the same command, or start a new sweep."
                raise ConfigError("sweep.resume", self.folder.path, rule, remedy)

    def _check_space(self) -> None:
        """Raises ConfigError if the study's latest trial was chosen from other values."""
        for trial in self.study.get_trials(deepcopy=False)[-1:]:
            for key, new in self.space.distributions.items():
                old = trial.distributions.get(key, new)
                if not _is_alike(old, new):
                    rule = f"the study {self.name} searches {old}"
                    raise ConfigError(key, new, rule, "Try another sweep.study.")

    def _seed(self) -> int:
        """Other numbers than those that chose the trials there are, and than other drivers'."""
        where = f"{platform.node()}:{self.folder.path.resolve()}" if self.plan.storage else ""
        text = f"{self.plan.seed} {self.count} {where}"
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest())


def _number(job: Job) -> int:
    match = NUMBER.match(job.name)
    if match is None:
        raise ConfigError("sweep.resume", job.name, "belongs to another kind of sweep")
    return int(match[1])


def _job_of(trial: FrozenTrial) -> str:
    return Path(trial.user_attrs.get(FOLDER, f"trial-{trial.number:03}")).name


def _value(results: Results, name: str) -> float:
    if name not in results:
        numbers = [k for k, v in results.items() if isinstance(v, (int, float))]
        known = [k for k in numbers if not k.startswith("test/")]
        rule = "a run has no such number"
        raise ConfigError("sweep.objectives", name, rule, suggest(name, known))
    value = results[name]
    return float(value) if isinstance(value, (int, float)) else math.nan


def _is_alike(old: BaseDistribution, new: BaseDistribution) -> bool:
    if isinstance(old, CategoricalDistribution) and isinstance(new, CategoricalDistribution):
        return list(old.choices) == list(new.choices)
    scales = [getattr(distribution, "log", None) for distribution in (old, new)]
    return type(old) is type(new) and scales[0] == scales[1]


def _sampler(kind: str, seed: int) -> BaseSampler:
    if kind == "cmaes":  # which leaves categories to chance, and would say so at each trial
        return CmaEsSampler(seed=seed, warn_independent_sampling=False)
    classes: dict[str, type[TPESampler | NSGAIISampler | RandomSampler]] = {
        "tpe": TPESampler, "nsga2": NSGAIISampler, "random": RandomSampler,
    }  # fmt: skip
    return classes[kind](seed=seed)
