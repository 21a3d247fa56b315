"""When to stop, when to warn, and how fast it went."""

import math
import time
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from rich.console import Console

from vae_cli.metric.reported import is_same_number
from vae_cli.training.collapse import collapse_advice

WARMUP_STEPS = 10  # not timed: allocations, compilation of kernels
PATIENCE = 500  # steps after the KL schedule has settled, at least, before a collapse is reported


def seconds_now(device: torch.device) -> float:
    """The clock, once the device has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


class Throughput(Callback):
    """Counts training images a second: training steps only, after warm-up, no validation.

    Attributes:
        validation_seconds: Spent in validations.

    Args:
        batch_size: Images a step over all processes.
    """

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size
        self.seconds, self.steps = 0.0, 0
        self.validation_seconds, self._validation_start = 0.0, 0.0
        self._warm_at, self._start, self._start_step = 0, 0.0, 0

    @property
    def images_per_second(self) -> float | None:
        """The average so far, None where the run was too short to tell."""
        return self.steps * self.batch_size / self.seconds if self.seconds > 0 else None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Remembers where the warm-up ends."""
        self._warm_at = trainer.global_step + WARMUP_STEPS

    def after_step(self, step: int, device: torch.device) -> None:
        """Starts the clock once warm."""
        if step == self._warm_at:
            self._start, self._start_step = seconds_now(device), step

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stops the clock."""
        self._validation_start = seconds_now(pl_module.device)
        if trainer.global_step > self._warm_at:
            self.seconds += self._validation_start - self._start
            self.steps += trainer.global_step - self._start_step

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Starts the clock again: what Lightning calls a batch is all steps to a validation."""
        if trainer.global_step > self._warm_at:
            self._start, self._start_step = seconds_now(pl_module.device), trainer.global_step

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Writes the speed."""
        self.validation_seconds += seconds_now(pl_module.device) - self._validation_start
        if self.images_per_second is not None and trainer.logger is not None:
            speed = {"train/images_per_second": self.images_per_second}
            trainer.logger.log_metrics(speed, step=trainer.global_step)


class EarlyStopping(Callback):
    """Stops when the monitored number no longer grows.

    While the KL schedule still changes, so does what is trained for: nothing is counted before
    it has settled.

    Args:
        monitor: Name of the number, larger being better.
        patience: Validations without improvement.
        settled_at: Step from which to count.
    """

    def __init__(self, monitor: str, patience: int, settled_at: int) -> None:
        self.monitor, self.patience, self.settled_at = monitor, patience, settled_at
        self.best, self.waited = -math.inf, 0

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Compares."""
        if trainer.global_step < self.settled_at:
            return
        score = float(trainer.callback_metrics[self.monitor])
        self.waited = 0 if score > self.best else self.waited + 1
        self.best = max(score, self.best)
        if self.waited >= self.patience:
            trainer.should_stop = True

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """A run that has stopped early stays so until there is more patience."""
        if self.waited >= self.patience:
            trainer.should_stop = True

    def state_dict(self) -> dict[str, Any]:
        """See Lightning."""
        return {"best": self.best, "waited": self.waited, "monitor": self.monitor}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """See Lightning. A best value of another number is not the one to beat."""
        if is_same_number(state_dict.get("monitor"), self.monitor):
            self.best, self.waited = float(state_dict["best"]), int(state_dict["waited"])


class CollapseWarning(Callback):
    """Warns of a collapsed posterior while there is still time, once.

    Not before the KL schedule has settled, and after that neither in the first half of what is left
    nor in the first 500 steps: many a run starts with a posterior that says nothing.

    Args:
        latent_dim: Number of dimensions of z.
        settled_at: Step from which the weight no longer changes.
        total_steps: Steps of the whole run.
        console: Where to.
    """

    def __init__(
        self, latent_dim: int, settled_at: int, total_steps: int, console: Console
    ) -> None:
        self.latent_dim, self.total_steps, self.console = latent_dim, total_steps, console
        self.from_step = settled_at + max(PATIENCE, (total_steps - settled_at) / 2)
        self._has_warned = False

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Looks at the latest numbers."""
        step = trainer.global_step
        if self._has_warned or step < self.from_step or step >= self.total_steps:
            return  # the end of the run says it of the test images
        numbers = {name: float(value) for name, value in trainer.callback_metrics.items()}
        advice = collapse_advice(numbers, self.latent_dim, "validation")
        if advice is not None:
            self._has_warned = True
            self.console.print(
                f"warning: step {step}: {advice}", style="yellow", highlight=False, soft_wrap=True
            )
