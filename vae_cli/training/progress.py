"""What is seen of a run while it trains."""

import time

from pytorch_lightning import Callback, LightningModule, Trainer
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from vae_cli.console import GAP, folded, print_line
from vae_cli.kl_schedule.base import KlSchedule
from vae_cli.progress import LINE_EVERY, LONG, SAMPLE, cost_line, duration
from vae_cli.training.recorder import Recorder

REFRESH = 0.2  # seconds between looks at the step
WARMUP_STEPS = 10  # slower than those that follow: they do not tell how long all takes
LINES = 20  # about so many at validations, where the output is no terminal


class _Numbers:
    """Parts of lines that are folded to the width of what they are shown in."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text("\n".join(folded(self.parts, options.max_width)), style="dim")


class ProgressDisplay(Callback):
    """A bar and numbers in a terminal; elsewhere a line every ten seconds, and at validations.

    A training of more than half a minute is announced after its first second.

    Args:
        total_steps: Steps of the whole run.
        batch_size: Images a step over all processes.
        monitor: Name of the quantity that is maximised.
        kl_schedule: The weight at each step; None where the objective weighs nothing.
        recorder: Of the training curves.
        console: Where to.
    """

    def __init__(
        self,
        total_steps: int,
        batch_size: int,
        monitor: str,
        kl_schedule: KlSchedule | None,
        recorder: Recorder,
        console: Console,
    ) -> None:
        self.total_steps, self.batch_size, self.monitor = total_steps, batch_size, monitor
        self.kl_schedule, self.recorder, self.console = kl_schedule, recorder, console
        self.bar = Progress(
            TextColumn("training"), BarColumn(bar_width=None), MofNCompleteColumn(),
            TimeRemainingColumn(), console=console, expand=True,
        )  # fmt: skip
        self.task = self.bar.add_task("training", total=total_steps)
        self.numbers = _Numbers()
        self.live = Live(
            Group(self.bar, self.numbers), console=console, transient=True, refresh_per_second=4
        )
        self._looked, self._told, self._next_line = 0.0, 0.0, 0
        self._timed_from: tuple[float, int] | None = None  # a time, and the step then
        self._validation_began = 0.0
        self._first_step, self._is_announced = 0, False
        self._validated: list[str] = []

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Shows the bar."""
        self._first_step, self._told = trainer.global_step, time.monotonic()
        self.bar.reset(self.task, total=self.total_steps, completed=trainer.global_step)
        if trainer.is_global_zero and self.console.is_terminal:
            self.live.start()

    def after_step(self, step: int) -> None:
        """Moves the bar."""
        now = time.monotonic()
        if now - self._looked > REFRESH:
            self._looked = now
            self.bar.update(self.task, completed=step)
            self.numbers.parts = self.parts(step)
            self._announce(step, now)
            if now - self._told >= LINE_EVERY and step < self.total_steps:
                self._print_line(step)

    def _announce(self, step: int, now: float) -> None:
        """Says once, as soon as it is known, how long a long training takes."""
        if self._is_announced or step < self._first_step + WARMUP_STEPS:
            return
        if self._timed_from is None:
            self._timed_from = now, step
        began, first = self._timed_from
        if now - began < SAMPLE:
            return
        self._is_announced = True
        steps = self.total_steps - self._first_step
        seconds = steps * (now - began) / max(step - first, 1)
        if seconds > LONG:
            print_line(self.console, cost_line("training", seconds, steps, "steps"))

    def _print_line(self, step: int) -> None:
        """Where there is no bar."""
        self._told = time.monotonic()
        if not self.console.is_terminal:
            parts = [f"step {step}/{self.total_steps}", *self.numbers.parts, *self.time_left()]
            self.console.print(GAP.join(parts), highlight=False, soft_wrap=True)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keeps the time."""
        self._validation_began = time.monotonic()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Tells the latest numbers."""
        step = trainer.global_step
        if self._timed_from is not None:  # the first validation also draws, which few others do
            began, first = self._timed_from
            self._timed_from = began + time.monotonic() - self._validation_began, first
        score = float(trainer.callback_metrics[f"validation/{self.monitor}"])
        self._validated = [f"validation {self.monitor} {score:.2f}"]
        self.bar.update(self.task, completed=step)
        self.numbers.parts = self.parts(step)
        if trainer.is_global_zero and step >= self._next_line:
            self._next_line = step + self.total_steps // LINES
            self._print_line(step)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Takes the bar away."""
        self.live.stop()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Takes the bar away before the message: rich would wrap its commands."""
        self.live.stop()

    def parts(self, step: int) -> list[str]:
        """The bound of validation, averages of the last training steps, the weight, the speed."""
        shown = {n: v for n, v in self.recorder.averages.items() if n != "loss"}
        prefix = {self.monitor: "training "}  # there are two of that name
        training = [f"{prefix.get(name, '')}{name} {value:.2f}" for name, value in shown.items()]
        speed = self.bar.tasks[0].speed
        rate = [] if speed is None else [f"{speed * self.batch_size:,.0f} images/s"]
        schedule = self.kl_schedule
        weight = [] if schedule is None else [f"weight {schedule(step):.2f}"]
        return [*self._validated, *training, *weight, *rate]

    def time_left(self) -> list[str]:
        """As a list of one part, or none where nobody knows."""
        left = self.bar.tasks[0].time_remaining
        if left is None:
            return []
        return [f"about {duration(left)} left"]
