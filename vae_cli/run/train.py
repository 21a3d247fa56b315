"""One run from its configuration to its results."""

import time
from contextlib import suppress
from typing import Any

from pytorch_lightning.loggers import TensorBoardLogger
from rich.console import Console
from rich.progress import track

from vae_cli.config.build import Experiment
from vae_cli.figure.base import Inapplicable, draw
from vae_cli.metric.base import Evaluation, Number
from vae_cli.model.labelled import fit_classifier
from vae_cli.run.bits import bits_per_dim
from vae_cli.run.board import write_board
from vae_cli.run.fit import Job, fit_and_restore, say
from vae_cli.run.folder import RunFolder
from vae_cli.run.images import hash_of_images
from vae_cli.run.pictures import caption, write_picture
from vae_cli.run.resume import Start
from vae_cli.training.checkpoint_file import CheckpointError, read_checkpoint
from vae_cli.training.data_module import ImageDataModule
from vae_cli.training.module import gather
from vae_cli.training.wish import Wish


def train(job: Job, start: Start | None) -> dict[str, Any]:
    """Fits, then tests the best checkpoint, draws, and writes the results.

    Args:
        job, start: As for ``fit``.

    Returns:
        What ``results.json`` holds.

    Raises:
        TrainingError: If the loss is no longer a number.
        Interrupted: If the run was stopped.
        CheckpointError: If it can't be saved.
    """
    experiment, folder = job.experiment, job.folder
    config = experiment.config
    fitted = fit_and_restore(job, start)
    module, data, trainer = fitted.module, fitted.data, fitted.trainer
    module.load_state_dict(_best(folder, job.console)["state_dict"])
    module.to(trainer.strategy.root_device).eval()
    began = time.perf_counter()
    fit_classifier(experiment.model, experiment.splits["train"])
    tested = test(job, data)
    test_seconds = time.perf_counter() - began
    job.signals.stop_at_once()  # what is left has no steps to wait for
    results = {
        **{f"test/{name}": value for name, value in tested.items()},
        **{key: value for key, value in fitted.validated.items() if key.startswith("validation/")},
        "test/bits_per_dim": bits_per_dim(config, tested.get("log_likelihood")),
        "data/images_sha256": hash_of_images(experiment.splits["test"]),
        "data/binarize": config.data.binarize,
        "data/dequantize": config.data.dequantize,
        "monitor": f"validation/{experiment.monitor}",
        "train/images_per_second": fitted.images_per_second,
        "train/seconds": fitted.seconds,
        "train/validation_seconds": fitted.validation_seconds,
        "train/test_seconds": test_seconds,
        "train/steps": trainer.global_step,
        "train/epochs": trainer.global_step / config.derived.steps_per_epoch,
        "train/steps_left_out": module.skipped,
        "parameters": sum(p.numel() for p in experiment.model.parameters()),
        "latent_dim": config.latent_dim,
        "seed": config.seed,
        "fast_dev_run": experiment.trainer.fast_dev_run,
    }
    if trainer.is_global_zero:
        try:
            if isinstance(trainer.logger, TensorBoardLogger):
                write_board(experiment, folder, results, trainer.global_step)
            began = time.perf_counter()
            _draw(experiment, folder)
            results["train/figure_seconds"] = time.perf_counter() - began
        finally:  # last of all: a run that is stopped before draws again; yet a picture may fail
            folder.write_results(results)
    return results


def test(job: Job, data: ImageDataModule) -> dict[str, Number]:
    """All metrics of the model as it is, on the test images, and how many there were.

    Every process takes its share.

    Raises:
        Interrupted: If the run is to stop; the test is done again when it is resumed.
    """
    experiment, console = job.experiment, job.console
    evaluation = Evaluation(experiment.metrics, experiment.config.seed, "test")
    experiment.model.eval()
    batches = track(
        data.evaluation_loader("test"), "testing", console=console, transient=True,
        disable=not console.is_terminal,
    )  # fmt: skip
    for number, batch in batches:
        if job.signals.agreed() is Wish.STOP:
            job.signals.stop(job.signals.last_words())
        if batch is not None:
            evaluation.add(experiment.model, number, batch.to(experiment.model.device))
    states = gather(evaluation.state)
    return {"images": sum(state.images for state in states), **evaluation.results(states)}


def _best(folder: RunFolder, console: Console) -> dict[str, Any]:
    try:
        return read_checkpoint(folder.best)
    except CheckpointError as error:
        say(console, f"{folder.path}: {error}; last.ckpt is tested in its place")
        return read_checkpoint(folder.last)


def _draw(experiment: Experiment, folder: RunFolder) -> None:
    for name, figure in experiment.figures.items():
        with suppress(Inapplicable):
            drawing = draw(name, figure, experiment.model, experiment.splits["test"])
            words = caption([(experiment.config, folder)])
            write_picture(drawing, folder.figures / f"{name}.png", words)
