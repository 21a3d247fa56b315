"""What carries out a sweep: one of Hydra's launchers runs the jobs that a strategy chooses."""

import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import FrameType

import hydra
from hydra._internal.callbacks import Callbacks  # a launcher takes no other
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, RunMode
from hydra.utils import get_class
from omegaconf import DictConfig

from vae_cli.config.construct import construct
from vae_cli.config.grammar import key_of, quoted
from vae_cli.config.request import Request
from vae_cli.config.sweep import is_about_sweep
from vae_cli.console import printable
from vae_cli.number import Number, new_numbers
from vae_cli.sweep.folder import SweepFolder, is_about_trust, without_trust
from vae_cli.sweep.job import run_job
from vae_cli.sweep.strategy import Job, Results, Strategy, find_number
from vae_cli.sweep.watch import Watch


def drive(config_name: str, overrides: Sequence[str], folder: SweepFolder) -> None:
    """Runs all jobs of a sweep, each as a separate ``vae-train`` in its own folder.

    Hydra's own sweeper has no say: it would end at the first job that fails.

    Args:
        config_name: Of the primary file.
        overrides: As on the command line, Hydra's own among them.
        folder: Where to.

    Raises:
        ConfigError: If the strategy can't go through the values, or the folder's jobs are others.
    """
    logging.getLogger("submitit").setLevel(logging.ERROR)  # it warns twice a second of no accounts
    GlobalHydra.instance().clear()
    with hydra.initialize_config_module("vae_cli.conf", version_base="1.3", job_name="vae-train"):
        loader = GlobalHydra.instance().config_loader()
        config = loader.load_configuration(config_name, [*overrides], RunMode.MULTIRUN)
        HydraConfig.instance().set_config(config)
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=HydraContext(loader, Callbacks(config)),
            task_function=partial(run_job, os.getpid()), config=config,
        )  # fmt: skip
        strategy: Strategy = construct(config, "sweep")
        given = [f"{key}={value}" for key, value in strategy.params.items()]
        tasks = [*config.hydra.overrides.task]
        beside = [t for t in tasks if is_about_sweep(key_of(t)) or is_about_trust(t)]
        with _stopping(folder):
            choices = _choices_of([*given, *tasks])
            launch = _Launch(launcher, folder, beside)
            find = partial(_find_number, config)
            is_trusted = Request.of(config_name, tasks).is_trusted
            strategy.run(choices, str(folder.path), launch, is_trusted, find)


def _find_number(config: DictConfig, key: str) -> Number | None:
    """What is declared of a number; the metrics are loaded only for one that others lack."""
    if known := find_number(key):
        return known
    metrics = [construct(config, f"metric.{name}") for name in config.get("metric") or ()]
    parts = (*metrics, get_class(config.objective._target_))
    return find_number(key, new_numbers(number for part in parts for number in part.declares))


class _Launch:
    """Runs jobs and waits for them; those that have results from before are not run again.

    Args:
        launcher: Hydra's.
        folder: Of the sweep.
        beside: Overrides about the sweep itself, which Hydra composes a job's launcher from, and
            whether the jobs are trusted.
    """

    def __init__(self, launcher: Launcher, folder: SweepFolder, beside: Sequence[str]) -> None:
        self.launcher, self.folder, self.beside, self.number = launcher, folder, beside, 0

    def __call__(self, jobs: Sequence[Job]) -> list[Results | None]:
        self.folder.add(jobs)
        missing = [job for job in jobs if self.folder.results_of(job) is None]
        for job in missing:  # how it ended the last time is not how it ends now
            self.folder.forget_ending(job.name)
        texts = [[*job.overrides, *self.beside, *_hydras_of(job)] for job in missing]
        if missing and self.number == 0:
            where = printable(self.folder.path)
            print(f"{len(jobs)} job{'s' * (len(jobs) > 1)} in {where}", flush=True)
        with Watch(self.folder, [job.name for job in jobs]):
            try:
                if missing:
                    self.launcher.launch(texts, initial_job_idx=self.number)
            except Exception as error:  # of as many kinds as there are launchers
                message = printable(" ".join(str(error).split()))
                print(f"note: {type(self.launcher).__name__}: {message}", file=sys.stderr)
        self.number += len(missing)
        return [self.folder.results_of(job) for job in jobs]


def _hydras_of(job: Job) -> list[str]:
    """Hydra's own overrides for a job: its folder and its environment variables."""
    given = [f"+hydra.job.env_set.{k}={quoted(v)}" for k, v in job.environment.items()]
    return [f"hydra.sweep.subdir={quoted(job.name)}", *given]


def _choices_of(texts: Sequence[str]) -> list[Override]:
    """Overrides as Hydra reads them, of several for one key the last; those that are the run's."""
    parsed = OverridesParser.create().parse_overrides(without_trust(texts))
    found = {override.get_key_element().lstrip("+~"): override for override in parsed}
    return [o for key, o in found.items() if not is_about_sweep(key)]


@contextmanager
def _stopping(folder: SweepFolder) -> Iterator[None]:
    """Has the first signal save and stop the jobs, wherever they run; the second one kills."""
    folder.stop.unlink(missing_ok=True)
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {int(number): signal.getsignal(number) for number in numbers}

    def stop(number: int, frame: FrameType | None) -> None:
        folder.stop.touch()
        print("\nstopping: the jobs that run are saved", file=sys.stderr)
        signal.signal(number, before[number])

    for number in numbers:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, before[number])
