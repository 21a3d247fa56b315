"""What TensorBoard is given beside the curves."""

import copy
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import TensorBoardLogger

from vae_cli.data.split import Split
from vae_cli.figure.base import Figure, Inapplicable, draw
from vae_cli.model.base import Model
from vae_cli.number import Number
from vae_cli.training.callbacks import WARMUP_STEPS, Throughput
from vae_cli.training.layout import PARTS, TAG, curve_name, layout
from vae_cli.training.recorder import Recorder

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

SHARE = 0.01  # of the time that the run will take, to be spent on looks
GROWTH = 1.7  # of the step between looks, at least: TensorBoard shows ten


class Dashboard(Callback):
    """Adds an overview, text, the model's graph and looks at the model to TensorBoard's log.

    A look is pictures and histograms. There is one of the untrained model, one at the first
    validation and one at the end; in between there is one whenever the step has grown by a factor,
    since a model changes most at first: as many as a small share of the run's time allows, which
    the first steps foretell. Where the logger is another, and in all processes but the first,
    nothing happens. What draws and writes is imported in the warm-up, which is not timed: the first
    step does not wait for it.

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
        self._untrained: Model | None = None  # until it is looked at

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keeps the untrained model; a resumed run writes at once, before its first curve."""
        self._started, self._start_step = time.monotonic(), trainer.global_step
        logger = _logger_of(trainer)
        if logger is not None and trainer.global_step > 0:
            self._begin(logger)
        elif logger is not None:
            self._untrained = copy.deepcopy(self.model).eval()

    def after_step(self, trainer: Trainer, step: int) -> None:
        """Writes what is known without training, at the end of the warm-up."""
        logger = _logger_of(trainer)
        if logger is not None and self._untrained is not None and step >= WARMUP_STEPS:
            self._begin(logger)

    def _begin(self, logger: TensorBoardLogger) -> None:
        """Writes what is known before the first step, or before that of a resumed run."""
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from torch.utils.tensorboard import SummaryWriter
        from torch.utils.tensorboard.summary import custom_scalars

        from vae_cli.training.graph import write_graph

        began, writer = time.monotonic(), logger.experiment
        self._parts = {p: SummaryWriter(str(Path(writer.log_dir, p))) for p in PARTS}
        if self._start_step > 0:  # what was written of steps that are now taken again is void
            step = self._start_step + 1
            again = Event(step=step, session_log=SessionLog(status=SessionLog.START))
            for each in (writer, *self._parts.values()):
                each._get_file_writer().add_event(again, step)
        for name, text in self.text.items():
            writer.add_text(name, text)
        writer._get_file_writer().add_summary(custom_scalars(layout(self.curves)))
        write_graph(writer, self._untrained or self.model, self.split)
        if self._untrained is not None:
            self._look(writer, 0, self._untrained)
            self._untrained = None
        self._spent, self._looks = 0.0, 0  # what came first included all that is slow once
        self._started += time.monotonic() - began

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Writes the overview, and looks at the model if it is time."""
        logger, step = _logger_of(trainer), trainer.global_step
        if logger is None:
            return
        if self._untrained is not None:
            self._begin(logger)
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
            self._look(logger.experiment, step, self.model)
            self._next_look = step * self._growth(step)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Looks a last time."""
        logger = _logger_of(trainer)
        if logger is not None and self._looked_at != trainer.global_step:
            self._look(logger.experiment, trainer.global_step, self.model)
        for own in self._parts.values():
            own.close()

    def _look(self, writer: "SummaryWriter", step: int, model: Model) -> None:
        from vae_cli.training.histograms import write_histograms
        from vae_cli.training.pictures import picture

        self._looked_at, start = step, time.monotonic()
        for name, figure in self.figures.items():
            with suppress(Inapplicable):
                drawing = draw(name, figure, model, self.split)
                writer._get_file_writer().add_summary(picture(name, drawing.canvas), step)
        write_histograms(writer, model, self.split, step)
        self._spent += time.monotonic() - start
        self._looks += 1

    def _growth(self, step: int) -> float:
        """The factor to the step of the next look: what is left of the time for looks is spread."""
        done = (step - self._start_step) / max(self.total_steps - self._start_step, 1)
        allowed = SHARE * (time.monotonic() - self._started) / max(done, 1e-9)
        left = max(0.0, (allowed - self._spent) * self._looks / self._spent)
        return max(GROWTH, (self.total_steps / step) ** (1 / (1 + left)))


def _logger_of(trainer: Trainer) -> TensorBoardLogger | None:
    """The logger of this process's events, which it opens when it is first used; None without."""
    logger = trainer.logger
    return logger if isinstance(logger, TensorBoardLogger) and trainer.is_global_zero else None
