"""Training: what is made of an experiment, and from where it starts."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from omegaconf import OmegaConf
from pytorch_lightning import Callback, Trainer
from rich.console import Console

from vae_cli.config.construct import construct
from vae_cli.console import print_note, printable
from vae_cli.errors import TrainingError, VaeCliError
from vae_cli.launch.launch import SHARED_FOLDER
from vae_cli.memory import is_out_of_memory
from vae_cli.number import FEW_IMAGES
from vae_cli.run.environment import environment
from vae_cli.run.folder import RunFolder
from vae_cli.run.resume import Start, find_start
from vae_cli.training.callbacks import CollapseWarning, EarlyStopping, Throughput
from vae_cli.training.checkpoint_file import CheckpointError
from vae_cli.training.checkpoints import Checkpoints
from vae_cli.training.dashboard import Dashboard
from vae_cli.training.data_module import ImageDataModule
from vae_cli.training.experiment import Experiment
from vae_cli.training.layout import curves_of
from vae_cli.training.module import TrainingModule, noise_seed
from vae_cli.training.progress import ProgressDisplay
from vae_cli.training.signals import Signals
from vae_cli.training.study import TRIAL, Trial
from vae_cli.training.trainer import make_trainer

FAST_DEV_BATCHES = 2
LOST = ("Connection closed by peer", "Connection reset by peer", "NCCL")  # in torch's messages
RESTORES = 3  # from one checkpoint, before the run is given up


class TrainingRun(NamedTuple):
    """A run that is to be done.

    Attributes:
        experiment: What to train.
        folder: Where everything goes.
        command: The command line, for the record.
        console: Where progress is shown.
        signals: What asks the run to save, or to stop.
        began: When the command did.
    """

    experiment: Experiment
    folder: RunFolder
    command: Sequence[str]
    console: Console
    signals: Signals
    began: float = 0.0  # by time.perf_counter


class Fitted(NamedTuple):
    """What training leaves in memory."""

    module: TrainingModule
    data: ImageDataModule
    trainer: Trainer
    validation_seconds: float
    images_per_second: float | None  # training steps alone
    validated: Mapping[str, float]  # numbers of the best checkpoint's validation


@contextmanager
def shared(folder: RunFolder) -> Iterator[None]:
    """Tells the processes that are started meanwhile, ranks of this run, which folder is theirs."""
    before = os.environ.get(SHARED_FOLDER)
    os.environ[SHARED_FOLDER] = str(folder.path)
    try:
        yield
    finally:
        if before is None:
            del os.environ[SHARED_FOLDER]


def fit_and_restore(run: TrainingRun, start: Start | None) -> Fitted:
    """Fits; with ``on_nan=restore`` goes back to the last checkpoint as often as makes sense.

    Raises:
        TrainingError, Interrupted, CheckpointError: As ``fit`` does.
    """
    experiment, folder, console = run.experiment, run.folder, run.console
    restores, failed_at = start.restores if start else 0, list[int]()
    while True:
        try:
            return fit(run, start, restores)
        except TrainingError as error:
            if experiment.trainer.on_nan != "restore":
                raise _with_advice(error, experiment) from error
            start = find_start(folder, experiment, partial(print_note, console))
            step = start.step if start else 0
            failed_at.append(step)
            if start is None or failed_at.count(step) > RESTORES:
                stopped = TrainingError(
                    f"{error.what} {folder.path} stays as of step {step}.", error.remedy
                )
                raise _with_advice(stopped, experiment) from error
            restores = max(restores, start.restores) + 1
            what = error.what.rstrip(".")
            print_note(console, f"{what}; restored step {step}, with other noise")


def _with_advice(error: TrainingError, experiment: Experiment) -> TrainingError:
    """The error with what to do about values of a wide range: else no other remedy helps."""
    advice = experiment.range_advice
    return TrainingError(error.what, advice) if advice and error.remedy else error


def fit(run: TrainingRun, start: Start | None = None, restores: int = 0) -> Fitted:
    """Trains from a checkpoint, or from the start.

    Args:
        run: What to train, and with what.
        start: The checkpoint.
        restores: How often the run has gone back to one; each time order and noise are others.

    Raises:
        TrainingError: If the loss is no longer a number.
        Interrupted: If the run was stopped.
        CheckpointError: If it can't be saved.
    """
    experiment, folder, console = run.experiment, run.folder, run.console
    config, options = experiment.config, experiment.trainer
    throughput = Throughput(config.data.batch_size)
    total, monitor = config.derived.total_steps, experiment.objective.monitor
    checkpoints = Checkpoints(
        folder.best.parent, f"validation/{experiment.monitor}", run.signals, options.save_every,
        options.save_minutes,
    )  # fmt: skip

    has_begun = False

    def after_step(step: int) -> None:
        nonlocal has_begun
        has_begun = True
        dashboard.after_step(trainer, step)
        throughput.after_step(step, module.device)
        progress.after_step(step)
        checkpoints.after_step(module, step)

    module = TrainingModule(
        experiment, restores=restores, after_step=after_step, report=partial(print_note, console)
    )
    display = console if options.progress else Console(quiet=True)
    progress = ProgressDisplay(
        total, config.data.batch_size, monitor, experiment.kl_schedule, module.recorder, display
    )
    limit = FAST_DEV_BATCHES if options.fast_dev_run else None
    seed = noise_seed(config.seed, restores)
    data = ImageDataModule(
        experiment.splits, config.data.batch_size, seed, limit,
        experiment.objective.labelled_fraction,
    )  # fmt: skip
    dashboard = Dashboard(
        experiment.model, experiment.figures, experiment.splits["validation"],
        _text(experiment, run.command), throughput, module.recorder, total,
        curves_of(experiment.metrics.values(), monitor),
    )  # fmt: skip
    trainer = make_trainer(
        experiment.accelerator,
        config.deterministic,
        construct(config, "logger", save_dir=str(folder.path)),
        [
            throughput, dashboard, *_watchers(experiment, console), checkpoints,
            *_pruning(config.derived.steps_per_epoch), progress,
        ],
        run.signals,
        len(module.players),
    )  # fmt: skip
    _warn_of_unsettled(experiment, console)
    with shared(folder), _restoring(start, lambda: has_begun):
        trainer.fit(module, datamodule=data, ckpt_path=start and start.path, weights_only=True)
    return Fitted(
        module, data, trainer, throughput.validation_seconds, throughput.images_per_second,
        checkpoints.numbers,
    )  # fmt: skip


@contextmanager
def _restoring(start: Start | None, has_begun: Callable[[], bool]) -> Iterator[None]:
    """Reports in one line a checkpoint that fails before the first step is taken from it."""
    try:
        yield
    except (VaeCliError, OSError):
        raise
    except Exception as error:  # Lightning and torch raise whatever a malformed state leads to
        is_others = is_out_of_memory(error) or any(word in str(error) for word in LOST)
        if start is None or is_others or has_begun():
            raise
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise CheckpointError(f"{start.path}: no run can be resumed from it ({reason})") from error


def _watchers(experiment: Experiment, console: Console) -> list[Callback]:
    """What looks at each validation, before the run is saved: then it is saved, too."""
    schedule, config = experiment.kl_schedule, experiment.config
    settled, total = 0 if schedule is None else schedule.settled_at, config.derived.total_steps
    callbacks: list[Callback] = []
    if len(experiment.splits["validation"]) >= FEW_IMAGES:  # of fewer nobody knows
        callbacks.append(CollapseWarning(config.latent_dim, settled, total, console))
    if experiment.trainer.patience is not None:
        monitor = f"validation/{experiment.monitor}"
        callbacks.append(EarlyStopping(monitor, experiment.trainer.patience, settled))
    return callbacks


def _pruning(steps_per_epoch: int) -> list[Callback]:
    """What tells a study of each validation, for a run that is one of its trials."""
    if TRIAL not in os.environ:
        return []
    from vae_cli.training.pruning import Pruning  # optuna is an extra

    return [Pruning(Trial.from_text(os.environ[TRIAL]), steps_per_epoch)]


def _text(experiment: Experiment, command: Sequence[str]) -> dict[str, str]:
    return {
        "config": _block(OmegaConf.to_yaml(experiment.config)),
        "command": _block(" ".join(command)),
        "environment": _block(environment()),
    }


def _block(text: str) -> str:
    """A text as Markdown's code: indented, which nothing within it can end, as it could a fence."""
    return "".join(f"    {printable(line)}\n" for line in text.splitlines())


def _warn_of_unsettled(experiment: Experiment, console: Console) -> None:
    schedule, total = experiment.kl_schedule, experiment.config.derived.total_steps
    if schedule is None:
        return
    if schedule.settled_at > total and not experiment.trainer.fast_dev_run:
        print_note(
            console,
            f"kl_schedule reaches its final weight at step {schedule.settled_at}, "
            f"but the run ends at {total} with weight {schedule(total):.2f}",
        )
