"""What TensorBoard is given beside the curves."""

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import TensorBoardLogger
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from vae_cli.data.split import Split
from vae_cli.figure.base import Figure, Inapplicable, draw, pixels

SHARE = 0.03  # of the time so far that pictures may take
Value = str | int | float | bool


class Dashboard(Callback):
    """Adds the configuration as text, and pictures as training goes on, to TensorBoard's log.

    Pictures are drawn after a validation as long as all of them have taken no more than a small
    share of the run's time: many in a long run, few in a short one.

    Args:
        figures: By name; those that are for use during training are drawn.
        split: What they show.
        text: Markdown by name.
    """

    def __init__(
        self, figures: Mapping[str, Figure], split: Split, text: Mapping[str, str]
    ) -> None:
        self.figures = {name: f for name, f in figures.items() if f.during_training}
        self.split, self.text = split, text
        self._started, self._spent = 0.0, 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Writes the text."""
        self._started = time.monotonic()
        if isinstance(trainer.logger, TensorBoardLogger) and trainer.is_global_zero:
            for name, text in self.text.items():
                trainer.logger.experiment.add_text(name, text)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draws, if there is time."""
        if not (isinstance(trainer.logger, TensorBoardLogger) and trainer.is_global_zero):
            return
        now = time.monotonic()
        if self._spent > SHARE * (now - self._started):
            return
        for name, figure in self.figures.items():
            with suppress(Inapplicable):
                drawing = draw(name, figure, pl_module.model, self.split)  # type: ignore[arg-type]
                trainer.logger.experiment.add_image(
                    name, pixels(drawing.canvas, 100), trainer.global_step, dataformats="HWC"
                )
        self._spent += time.monotonic() - now


def write_hyperparameters(
    folder: Path, settings: Mapping[str, Value], results: Mapping[str, float], step: int
) -> None:
    """Puts a run into the HPARAMS tab.

    Written straight into the run's folder: the logger's way would need the metrics before they
    are known, and SummaryWriter's makes a folder of its own.
    """
    with SummaryWriter(str(folder), filename_suffix=".results") as writer:
        for summary in hparams(dict(settings), dict(results)):
            writer.file_writer.add_summary(summary)
        for name, value in results.items():
            writer.add_scalar(name, value, step)
