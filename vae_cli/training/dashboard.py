"""What TensorBoard is given beside the curves."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import TensorBoardLogger
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import custom_scalars

from vae_cli.data.split import Split
from vae_cli.figure.base import Figure, Inapplicable, draw
from vae_cli.model.base import Model
from vae_cli.number import Number
from vae_cli.training.callbacks import Throughput
from vae_cli.training.graph import write_graph
from vae_cli.training.histograms import write_histograms
from vae_cli.training.layout import PARTS, TAG, curve_name, layout
from vae_cli.training.pictures import picture
from vae_cli.training.recorder import Recorder

SHARE = 0.01  # of the time that the run will take, to be spent on looks
GROWTH = 1.7  # of the step between looks, at least: TensorBoard shows ten


class Dashboard(Callback):
    """Adds an overview, text, the model's graph and looks at the model to TensorBoard's log.

    A look is pictures and histograms. There is one before the first step, one at the first
    validation and one at the end; in between there is one whenever the step has grown by a factor,
    since a model changes most at first: as many as a small share of the run's time allows, which
    the first steps foretell. Where the logger is another, and in all processes but the first,
    nothing happens.

    Args:
        model: What is looked at.
        figures: By name; those that are for use during training are drawn.
        split: What they show.
        text: Markdown by name.
        throughput: Of the training steps.
        recorder: Of the training curves.
        total_steps: Of the whole run.
        curves: The numbers with charts in the overview.
    """

    def __init__(
        self,
        model: Model,
        figures: Mapping[str, Figure],
        split: Split,
        text: Mapping[str, str],
        throughput: Throughput,
        recorder: Recorder,
        total_steps: int,
        curves: Sequence[Number],
    ) -> None:
        self.model, self.split, self.text = model, split, text
        self.figures = {name: f for name, f in figures.items() if f.during_training}
        self.throughput, self.recorder, self.curves = throughput, recorder, curves
        self.total_steps = total_steps
        self._started, self._start_step, self._spent, self._looks = 0.0, 0, 0.0, 0
        self._looked_at, self._next_look = -1, 0.0  # steps
        self._parts: dict[str, SummaryWriter] = {}  # of the numbers of training and validation

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Writes what is known before the first step."""
        writer = writer_of(trainer)
        if writer is None:
            return
        self._parts = {p: SummaryWriter(str(Path(writer.log_dir, p))) for p in PARTS}
        if trainer.global_step > 0:  # what was written of steps that are now taken again is void
            again = Event(
                step=trainer.global_step + 1, session_log=SessionLog(status=SessionLog.START)
            )
            for each in (writer, *self._parts.values()):
                each._get_file_writer().add_event(again, trainer.global_step + 1)
        for name, text in self.text.items():
            writer.add_text(name, text)
        writer._get_file_writer().add_summary(custom_scalars(layout(self.curves)))
        write_graph(writer, self.model, self.split)
        if trainer.global_step == 0:
            self.model.eval()
            self._look(writer, 0)
            self.model.train()
        self._spent, self._looks = 0.0, 0  # what came first included all that is slow once
        self._started, self._start_step = time.monotonic(), trainer.global_step

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Writes the overview, and looks at the model if it is time."""
        writer, step = writer_of(trainer), trainer.global_step
        if writer is None:
            return
        numbers = {name: float(value) for name, value in trainer.callback_metrics.items()}
        numbers |= self.recorder.curves
        if self.throughput.images_per_second is not None:
            numbers["train/images_per_second"] = self.throughput.images_per_second
        for part, own in self._parts.items():
            for name in map(curve_name, self.curves):
                if f"{part}/{name}" in numbers:
                    own.add_scalar(f"{TAG}{name}", numbers[f"{part}/{name}"], step)
            own.flush()  # a run may be killed
        if step >= self._next_look:
            self._look(writer, step)
            self._next_look = step * self._growth(step)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Looks a last time."""
        writer = writer_of(trainer)
        if writer is not None and self._looked_at != trainer.global_step:
            self._look(writer, trainer.global_step)
        for own in self._parts.values():
            own.close()

    def _look(self, writer: SummaryWriter, step: int) -> None:
        self._looked_at, start = step, time.monotonic()
        for name, figure in self.figures.items():
            with suppress(Inapplicable):
                drawing = draw(name, figure, self.model, self.split)
                writer._get_file_writer().add_summary(picture(name, drawing.canvas), step)
        write_histograms(writer, self.model, self.split, step)
        self._spent += time.monotonic() - start
        self._looks += 1

    def _growth(self, step: int) -> float:
        """The factor to the step of the next look: what is left of the time for looks is spread."""
        done = (step - self._start_step) / max(self.total_steps - self._start_step, 1)
        allowed = SHARE * (time.monotonic() - self._started) / max(done, 1e-9)
        left = max(0.0, (allowed - self._spent) * self._looks / self._spent)
        return max(GROWTH, (self.total_steps / step) ** (1 / (1 + left)))


def writer_of(trainer: Trainer) -> SummaryWriter | None:
    """What to write events with, None where there are to be none."""
    if isinstance(trainer.logger, TensorBoardLogger) and trainer.is_global_zero:
        return trainer.logger.experiment
    return None
