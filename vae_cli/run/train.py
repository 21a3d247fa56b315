"""One run from its configuration to its results."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from omegaconf import OmegaConf
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.loggers import TensorBoardLogger
from rich.console import Console
from rich.progress import track

from vae_cli.config.build import Experiment, construct
from vae_cli.errors import Interrupted
from vae_cli.metric.base import Evaluation
from vae_cli.run.bits import bits_per_dim
from vae_cli.run.checkpoint import load_weights
from vae_cli.run.folder import SHARED_FOLDER, RunFolder, environment
from vae_cli.run.settings import settings
from vae_cli.training.callbacks import Checkpoints, EarlyStopping, Throughput
from vae_cli.training.dashboard import Dashboard, write_hyperparameters
from vae_cli.training.data_module import ImageDataModule
from vae_cli.training.module import TrainingModule, gather
from vae_cli.training.progress import ProgressDisplay
from vae_cli.training.trainer import make_trainer

FAST_DEV_BATCHES = 2
HEADLINES = (
    "test/elbo", "test/log_likelihood", "test/kl", "test/reconstruction", "test/active_units",
    "test/bits_per_dim",
)  # fmt: skip


def is_finished(experiment: Experiment, folder: RunFolder) -> bool:
    """Whether the run in a folder has come to its last step and has its results."""
    if not (folder.results.is_file() and folder.last.is_file()):
        return False
    steps = torch.load(folder.last, map_location="cpu", weights_only=True)["global_step"]
    return steps >= experiment.config.derived.total_steps


class Fit(NamedTuple):
    """What training leaves in memory."""

    module: TrainingModule
    data: ImageDataModule
    trainer: Trainer
    seconds: float  # validation and all
    images_per_second: float | None  # training steps alone


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


def fit(experiment: Experiment, folder: RunFolder, command: Sequence[str], console: Console) -> Fit:
    """Trains from the folder's last checkpoint, or from the start.

    Args:
        experiment: What to train.
        folder: Where checkpoints and curves go.
        command: The command line, for the record.
        console: Where progress is shown.

    Raises:
        TrainingError: If the loss is no longer a number.
        Interrupted: If the user stopped it.
    """
    config, options = experiment.config, experiment.trainer
    throughput = Throughput(config.data.batch_size)
    monitor = f"validation/{experiment.objective.monitor}"
    shown = console if options.progress else Console(quiet=True)
    progress = ProgressDisplay(config.derived.total_steps, monitor, shown)

    def after_step(step: int) -> None:
        throughput.after_step(step, module.device)
        progress.after_step(step)

    module = TrainingModule(
        experiment.model,
        experiment.objective,
        experiment.kl_schedule,
        experiment.make_optimizer,
        experiment.make_lr_schedule,
        {name: m for name, m in experiment.metrics.items() if not m.is_costly},
        config.seed,
        options.gradient_clip,
        options.validate_every * config.derived.steps_per_epoch,
        after_step,
        options.log_every,
        OmegaConf.to_yaml(config),
    )
    limit = FAST_DEV_BATCHES if options.fast_dev_run else None
    data = ImageDataModule(experiment.splits, config.data.batch_size, config.seed, limit)
    callbacks = [throughput, *_callbacks(experiment, folder, command, monitor), progress]
    trainer = make_trainer(
        experiment.accelerator,
        config.derived.total_steps,
        config.deterministic,
        construct(config, "logger", save_dir=str(folder.path)),
        callbacks,
    )
    _warn_of_unsettled(experiment, console)
    resumed = folder.last if folder.last.is_file() else None
    start = time.perf_counter()
    try:
        with shared(folder):
            trainer.fit(module, datamodule=data, ckpt_path=resumed, weights_only=True)
    except SystemExit as stop:  # Lightning's answer to Ctrl-C
        raise Interrupted(f"interrupted. Go on with vae-train resume={folder.path}") from stop
    seconds = time.perf_counter() - start
    return Fit(module, data, trainer, seconds, throughput.images_per_second)


def _warn_of_unsettled(experiment: Experiment, console: Console) -> None:
    schedule, total = experiment.kl_schedule, experiment.config.derived.total_steps
    if schedule.settled_at > total and not experiment.trainer.fast_dev_run:
        console.print(
            f"note: kl_schedule settles at step {schedule.settled_at}, and the run ends at {total} "
            f"with weight {schedule(total):.2f}",
            highlight=False,
        )


def train(
    experiment: Experiment, folder: RunFolder, command: Sequence[str], console: Console
) -> dict[str, Any]:
    """Fits, then tests the best checkpoint, draws, and writes the results.

    Args:
        experiment, folder, command, console: As for ``fit``.

    Returns:
        What ``results.json`` holds.

    Raises:
        TrainingError: If the loss is no longer a number.
        Interrupted: If the user stopped it.
    """
    config = experiment.config
    module, data, trainer, seconds, images_per_second = fit(experiment, folder, command, console)
    load_weights(module, folder.best)
    module.to(trainer.strategy.root_device)
    tested = test(experiment, data, console)
    results = {
        **{f"test/{name}": value for name, value in tested.items()},
        "test/bits_per_dim": bits_per_dim(config, tested.get("log_likelihood")),
        "data/binarize": config.data.binarize,
        "data/dequantize": config.data.dequantize,
        "train/images_per_second": images_per_second,
        "train/seconds": seconds,
        "train/steps": trainer.global_step,
        "train/epochs": trainer.global_step / config.derived.steps_per_epoch,
        "parameters": sum(p.numel() for p in experiment.model.parameters()),
        "latent_dim": config.latent_dim,
        "seed": config.seed,
        "fast_dev_run": experiment.trainer.fast_dev_run,
    }
    if trainer.is_global_zero:
        folder.write_results(results)  # first of all: a picture may fail
        if isinstance(trainer.logger, TensorBoardLogger):
            numbers = {key: results[key] for key in HEADLINES if results.get(key) is not None}
            write_hyperparameters(folder.path, settings(config), numbers, trainer.global_step)
            (folder.path / "hparams.yaml").unlink(missing_ok=True)  # Lightning's, and empty
        _draw(experiment, folder)
    return results


def test(experiment: Experiment, data: ImageDataModule, console: Console) -> dict[str, float]:
    """All metrics of the model as it is, on the test images, and how many there were.

    Every process takes its share.
    """
    evaluation = Evaluation(experiment.metrics, experiment.config.seed, "test")
    experiment.model.eval()
    batches = track(
        data.evaluation_loader("test"), "testing", console=console, transient=True,
        disable=not console.is_terminal,
    )  # fmt: skip
    for number, batch in batches:
        if batch is not None:
            evaluation.add(experiment.model, number, batch.to(experiment.model.device))
    states = gather(evaluation.state)
    return {"images": sum(state.images for state in states), **evaluation.results(states)}


def _callbacks(
    experiment: Experiment, folder: RunFolder, command: Sequence[str], monitor: str
) -> list[Callback]:
    text = {
        "config": f"```yaml\n{OmegaConf.to_yaml(experiment.config)}```",
        "command": f"    {' '.join(command)}",
        "environment": "".join(f"    {line}\n" for line in environment().splitlines()),
    }
    callbacks: list[Callback] = [
        Dashboard(experiment.figures, experiment.splits["validation"], text),
        Checkpoints(folder.best.parent, monitor),
    ]
    if experiment.trainer.patience is not None:
        settled = experiment.kl_schedule.settled_at
        callbacks.append(EarlyStopping(monitor, experiment.trainer.patience, settled))
    return callbacks


def _draw(experiment: Experiment, folder: RunFolder) -> None:
    for name, figure in experiment.figures.items():
        canvas = figure.draw(experiment.model, experiment.splits["test"])
        if canvas is not None:
            canvas.savefig(folder.figures / f"{name}.png")
