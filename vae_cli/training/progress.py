"""What is seen of a run while it trains."""

import time

from pytorch_lightning import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

REFRESH = 0.2  # seconds between looks at the step
LINES = 20  # about so many, where the output is no terminal


class ProgressDisplay(Callback):
    """A bar in a terminal; elsewhere a line now and then.

    Args:
        total_steps: Steps of the whole run.
        monitor: Name of the number to show.
        console: Where to.
    """

    def __init__(self, total_steps: int, monitor: str, console: Console) -> None:
        self.total_steps, self.monitor, self.console = total_steps, monitor, console
        self.bar = Progress(
            TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("steps"),
            TextColumn("{task.fields[score]}"), TimeRemainingColumn(),
            console=console, transient=True, refresh_per_second=4,
        )  # fmt: skip
        self._looked, self._next_line = 0.0, 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Shows the bar."""
        if self._shows(trainer) and self.console.is_terminal:
            self.task = self.bar.add_task(
                "training", total=self.total_steps, completed=trainer.global_step, score=""
            )
            self.bar.start()

    def after_step(self, step: int) -> None:
        """Moves the bar."""
        now = time.monotonic()
        if self.bar.live.is_started and now - self._looked > REFRESH:
            self._looked = now
            self.bar.update(self.task, completed=step)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Tells the latest number."""
        step = trainer.global_step
        score = f"{self.monitor} {float(trainer.callback_metrics[self.monitor]):.2f}"
        if self.bar.live.is_started:
            self.bar.update(self.task, completed=step, score=score)
        elif self._shows(trainer) and step >= self._next_line:
            self._next_line = step + self.total_steps // LINES
            self.console.print(f"step {step}/{self.total_steps}  {score}", highlight=False)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Takes the bar away, whatever ended the run."""
        self.bar.stop()

    def _shows(self, trainer: Trainer) -> bool:
        return trainer.is_global_zero
