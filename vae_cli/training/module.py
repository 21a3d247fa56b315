"""The training loop's view of a model."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
import torch.distributed
from pytorch_lightning import LightningModule
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from vae_cli import noise
from vae_cli.data.batch import Batch
from vae_cli.errors import TrainingError
from vae_cli.kl_schedule.base import KlSchedule
from vae_cli.metric.base import Evaluation, Metric
from vae_cli.model.base import LatentVariableModel
from vae_cli.objective.base import Objective
from vae_cli.training.recorder import ADVICE, Recorder


def gather(item: Any) -> list[Any]:
    """The item of every process, in the order of their ranks."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return [item]
    items: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(items, item)
    return items


def _curve(key: str) -> str:
    """The name of a validation curve: parts of a number have a group of their own."""
    return f"validation_{key}" if "/" in key else f"validation/{key}"


class TrainingModule(LightningModule):
    """Minimises an objective over a model and measures it on the validation images.

    Args:
        model: What is trained.
        objective: What is minimised.
        kl_schedule: The weight at each step.
        make_optimizer: From parameters to an optimizer.
        make_lr_schedule: From an optimizer to a schedule of its learning rate, stepped with it;
            None keeps the rate.
        metrics: Measured at each validation.
        seed: Of the run's noise.
        gradient_clip: Largest norm of the gradient; None leaves it.
        validation_interval: Steps between validations.
        after_step: Called with the number of steps taken, after each.
        log_every: Steps between points of the training curves.
        config: The resolved configuration, in YAML, which checkpoints carry.
    """

    def __init__(
        self,
        model: LatentVariableModel,
        objective: Objective,
        kl_schedule: KlSchedule,
        make_optimizer: Callable[[Iterable[Parameter]], Optimizer],
        make_lr_schedule: Callable[[Optimizer], LRScheduler] | None,
        metrics: Mapping[str, Metric],
        seed: int,
        gradient_clip: float | None,
        validation_interval: int,
        after_step: Callable[[int], None],
        log_every: int,
        config: str,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False  # a training step is many steps of optimization
        self.model, self.objective, self.kl_schedule = model, objective, kl_schedule
        self.make_optimizer, self.make_lr_schedule = make_optimizer, make_lr_schedule
        self.metrics, self.seed, self.config = metrics, seed, config
        self.gradient_clip = gradient_clip
        self.validation_interval, self.after_step = validation_interval, after_step
        self.recorder = Recorder(log_every)
        self.evaluation = Evaluation(metrics, seed, "validation")

    def configure_optimizers(self) -> Any:
        """See Lightning."""
        optimizer = self.make_optimizer(self.parameters())
        if self.make_lr_schedule is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": self.make_lr_schedule(optimizer)}

    def training_step(self, batches: Iterator[Batch], batch_idx: int) -> None:
        """All steps of optimization until the next validation."""
        optimizer: Any = self.optimizers()
        lr_schedule: Any = self.lr_schedulers()
        step = self.global_step
        for batch in batches:
            loss = self._loss(step, batch.to(self.device))
            optimizer.zero_grad()
            self.manual_backward(loss)
            optimizer.step()
            if lr_schedule is not None:
                lr_schedule.step()
            step = self.global_step
            if self.recorder.is_full:
                self.write_curves()
            self.after_step(step)
            if step >= self.trainer.max_steps or step % self.validation_interval == 0:
                break
        self.trainer.should_stop = step >= self.trainer.max_steps

    def _loss(self, step: int, batch: Batch) -> Tensor:
        """The loss of one step. Its noise is a function of (seed, step, rank)."""
        noise.seed_draws(batch.x.device, "train", self.seed, step, self.global_rank)
        loss, reported = self.objective(self.model, batch, self.kl_schedule(step))
        self.recorder.add(step, loss, reported)
        return loss

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Clips the gradient, which 16-mixed has scaled back by now."""
        if self.gradient_clip is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters(), self.gradient_clip)

    def write_curves(self) -> None:
        """Writes the averages of the last steps, and stops the run if they are no numbers."""
        averages, error = self.recorder.read()
        errors = [e for e in gather(error) if e is not None]  # one rank stops all
        if errors:
            raise errors[0]
        if self.logger is None or not averages:
            return
        curves = {f"train/{name}": value for name, value in averages.items()}
        curves["train/weight"] = self.kl_schedule(self.global_step)
        curves["train/lr"] = self.optimizers().param_groups[0]["lr"]  # type: ignore[union-attr]
        self.logger.log_metrics(curves, step=self.global_step)

    def on_validation_epoch_start(self) -> None:
        """See Lightning."""
        self.write_curves()  # nothing that is no number reaches a checkpoint
        self.evaluation = Evaluation(self.metrics, self.seed, "validation")

    def validation_step(self, batch: tuple[int, Batch | None], batch_idx: int) -> None:
        """Adds a batch to the sums."""
        number, images = batch
        if images is not None:
            self.evaluation.add(self.model, number, images.to(self.device))

    def on_validation_epoch_end(self) -> None:
        """Hands the numbers to the loggers, to early stopping and to the checkpoints."""
        results = self.evaluation.results(gather(self.evaluation.state))
        broken = [key for key, value in results.items() if not math.isfinite(value)]
        if broken:
            value = results[broken[0]]
            raise TrainingError(
                f"step {self.global_step}: validation/{broken[0]} is {value}. {ADVICE}"
            )
        curves = {_curve(key): float(value) for key, value in results.items()}
        self.log_dict(curves, logger=False)  # for callbacks; a logger would count calls
        if self.logger is not None:
            self.logger.log_metrics(curves, step=self.global_step)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Makes the checkpoint one that explains itself."""
        checkpoint["config"] = self.config
