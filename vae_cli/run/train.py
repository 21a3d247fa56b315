"""One run from its configuration to its results."""

import time
from contextlib import suppress
from typing import Any

from pytorch_lightning.loggers import TensorBoardLogger
from rich.console import Console

from vae_cli.console import print_note
from vae_cli.figure.base import Inapplicable, draw
from vae_cli.metric.base import Evaluation, Value
from vae_cli.model.labelled import fit_classifier
from vae_cli.progress import progress
from vae_cli.run.bits import bits_per_dim
from vae_cli.run.declared import write_declared
from vae_cli.run.files import sha256_of
from vae_cli.run.fit import TrainingRun, fit_and_restore
from vae_cli.run.folder import RunFolder
from vae_cli.run.images import hash_of_images
from vae_cli.run.pictures import caption, write_picture
from vae_cli.run.resume import Start
from vae_cli.training.checkpoint_file import CheckpointError, read_checkpoint
from vae_cli.training.data_module import ImageDataModule
from vae_cli.training.experiment import Experiment
from vae_cli.training.ranks import gather
from vae_cli.training.signals import GRACE
from vae_cli.training.wish import Wish


def train(run: TrainingRun, start: Start | None) -> dict[str, Any]:
    """Fits, then tests the best checkpoint, draws, and writes the results.

    Returns:
        What ``results.json`` holds.

    Raises:
        TrainingError: If the loss is no longer a number.
        Interrupted: If the run was stopped.
        CheckpointError: If it can't be saved.
    """
    experiment, folder = run.experiment, run.folder
    config = experiment.config
    ends = [time.perf_counter()]  # of phases: each begins where the one before ends
    fitted = fit_and_restore(run, start)
    ends.append(time.perf_counter())
    module, data, trainer = fitted.module, fitted.data, fitted.trainer
    best, digest = _read_best(folder, run.console)
    module.load_state_dict(best["state_dict"])
    module.to(trainer.strategy.root_device).eval()
    fit_classifier(experiment.model, experiment.splits["train"])
    tested = test(run, data)
    run.signals.stop_at_once()  # what is left has no steps to wait for
    results = {
        **{f"test/{name}": value for name, value in tested.items()},
        **{key: value for key, value in fitted.validated.items() if key.startswith("validation/")},
        "test/bits_per_dim": bits_per_dim(config, tested.get("log_likelihood")),
        "data/images_sha256": hash_of_images(experiment.splits["test"]),
        "data/binarize": config.data.binarize,
        "data/dequantize": config.data.dequantize,
        "checkpoint_sha256": digest,
        "monitor": f"validation/{experiment.monitor}",
        "train/images_per_second": fitted.images_per_second,
        "train/start_seconds": ends[0] - run.began,
        "train/seconds": ends[1] - ends[0] - fitted.validation_seconds,
        "train/validation_seconds": fitted.validation_seconds,
        "train/steps": trainer.global_step,
        "train/epochs": trainer.global_step / config.derived.steps_per_epoch,
        "train/steps_left_out": module.skipped,
        "parameters": sum(p.numel() for p in experiment.model.parameters()),
        "latent_dim": config.latent_dim,
        "seed": config.seed,
        "fast_dev_run": experiment.trainer.fast_dev_run,
    }
    ends.append(time.perf_counter())
    results["train/test_seconds"] = ends[2] - ends[1]
    if trainer.is_global_zero:
        try:
            if isinstance(trainer.logger, TensorBoardLogger):
                from vae_cli.run.board import write_board  # TensorBoard and all

                write_board(experiment, folder, results, trainer.global_step)
            _draw(experiment, folder, digest)
            ends.append(time.perf_counter())
            results["train/figure_seconds"] = ends[3] - ends[2]
            results["train/total_seconds"] = ends[3] - run.began
        finally:  # last of all: a run that is stopped before draws again; yet a picture may fail
            run.signals.defer(GRACE)  # once the results are written, nothing is left to stop
            write_declared(folder, (n for m in experiment.metrics.values() for n in m.declares))
            folder.write_results(results)
    return results


def test(run: TrainingRun, data: ImageDataModule) -> dict[str, Value]:
    """All metrics of the model as it is, on the test images, and how many there were.

    Every process takes its share.

    Raises:
        Interrupted: If the run is to stop; the test is done again when it is resumed.
    """
    experiment, console = run.experiment, run.console
    total = len(experiment.splits["test"])
    metrics = {name: metric.for_split(total) for name, metric in experiment.metrics.items()}
    evaluation = Evaluation(metrics, experiment.config.seed, "test")
    experiment.model.eval()
    world_size = data.trainer.world_size if data.trainer else 1
    with progress("test", total, "images", console) as advance:
        for number, batch in data.evaluation_loader("test"):
            if run.signals.agreed() is Wish.STOP:
                run.signals.stop(run.signals.last_words())
            if batch is not None:
                evaluation.add(experiment.model, number, batch.to(experiment.model.device))
                advance(min(evaluation.state.images * world_size, total))
    states = gather(evaluation.state)
    return {"images": sum(state.images for state in states), **evaluation.results(states)}


def _read_best(folder: RunFolder, console: Console) -> tuple[dict[str, Any], str | None]:
    """The best checkpoint and its SHA-256; where it is damaged the last one, without."""
    try:
        return read_checkpoint(folder.best), sha256_of(folder.best)
    except CheckpointError as error:
        print_note(console, f"{folder.path}: {error}; last.ckpt is tested instead")
        return read_checkpoint(folder.last), None


def _draw(experiment: Experiment, folder: RunFolder, digest: str | None) -> None:
    for name, figure in experiment.figures.items():
        with suppress(Inapplicable):
            drawing = draw(name, figure, experiment.model, experiment.splits["test"])
            words = caption([(experiment.config, folder)])
            write_picture(drawing, folder.figures / f"{name}.png", words, digest)
