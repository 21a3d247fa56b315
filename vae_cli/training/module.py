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
from vae_cli.model.base import Model
from vae_cli.objective.base import Objective
from vae_cli.training.optimizer_state import adopt
from vae_cli.training.recorder import ADVICE, Recorder, merged
from vae_cli.training.restored import LOOP_STEPS, check_steps

SKIPPED_AT_MOST = 100  # steps in a row


def noise_seed(seed: int, restores: int) -> object:
    """What the noise of training depends on: what broke a run must not come again."""
    return (seed, restores) if restores else seed


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
        kl_schedule: The weight at each step; None where the objective weighs nothing.
        make_optimizer: From parameters to an optimizer.
        make_lr_schedule: From an optimizer to a schedule of its learning rate, stepped with it;
            None keeps the rate.
        metrics: Measured at each validation.
        seed: Of the run's noise.
        restores: How often the run has gone back to a checkpoint; the noise depends on it.
        gradient_clip: Largest norm of the gradient; None leaves it.
        on_nan: What to do about a step whose loss or gradient is no number: ``skip`` leaves the
            weights as they are; else it is found when the curves are next written.
        total_steps: After so many training ends.
        validation_interval: Steps between validations.
        after_step: Called with the number of steps taken, after each.
        report: Called with what there is to say of a step that was left out.
        log_every: Steps between points of the training curves.
        config: The resolved configuration, in YAML, which checkpoints carry.
    """

    def __init__(
        self,
        model: Model,
        objective: Objective,
        kl_schedule: KlSchedule | None,
        make_optimizer: Callable[[Iterable[Parameter]], Optimizer],
        make_lr_schedule: Callable[[Optimizer], LRScheduler] | None,
        metrics: Mapping[str, Metric],
        seed: int,
        restores: int,
        gradient_clip: float | None,
        on_nan: str,
        total_steps: int,
        validation_interval: int,
        after_step: Callable[[int], None],
        report: Callable[[str], None],
        log_every: int,
        config: str,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False  # a training step is many steps of optimization
        self.model, self.objective, self.kl_schedule = model, objective, kl_schedule
        self.make_optimizer, self.make_lr_schedule = make_optimizer, make_lr_schedule
        self.metrics, self.seed, self.restores, self.config = metrics, seed, restores, config
        self.noise = noise_seed(seed, restores)
        self.gradient_clip, self.on_nan = gradient_clip, on_nan
        self.total_steps, self.validation_interval = total_steps, validation_interval
        self.after_step, self.report = after_step, report
        self.validated_at, self.skipped, self._skipped_in_a_row = 0, 0, 0
        self._recorded: dict[str, Any] | None = None  # by the run's last leg
        self.recorder = Recorder(log_every)
        self.evaluation = Evaluation(metrics, seed, "validation")

    def configure_optimizers(self) -> Any:
        """See Lightning."""
        optimizer = self.make_optimizer(self.parameters())
        if self.make_lr_schedule is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": self.make_lr_schedule(optimizer)}

    def on_train_start(self) -> None:
        """Ends a run that has nothing left to do."""
        if self._recorded is not None:
            self.recorder.load_state_dict(self._recorded, self.device)
        ended = self.global_step >= self.total_steps
        self.trainer.should_stop = ended and not self._is_due(self.global_step)
        # A NaN anywhere on the way back through the networks reaches their biases, which are few.
        vectors = [p for p in self.parameters() if p.requires_grad and p.ndim == 1]
        self._watched = vectors or list(self.parameters())

    def training_step(self, batches: Iterator[Batch], batch_idx: int) -> None:
        """All steps of optimization until the next validation.

        There are none if the run was stopped in the middle of a validation.
        """
        step = self.global_step
        while not self._is_due(step):
            self._update(step, next(batches).to(self.device))
            step = self.global_step
            if self.recorder.is_full:
                self.write_curves()
            self.after_step(step)
        self.trainer.should_stop = step >= self.total_steps

    def _is_due(self, step: int) -> bool:
        """Whether a validation comes next."""
        is_boundary = step % self.validation_interval == 0 or step >= self.total_steps
        return is_boundary and step > self.validated_at

    def _update(self, step: int, batch: Batch) -> None:
        """One step of optimization."""
        optimizer: Any = self.optimizers()
        lr_schedule: Any = self.lr_schedulers()
        loss = self._loss(step, batch)
        optimizer.zero_grad()
        self.manual_backward(loss)
        if self.on_nan == "skip":
            self._skip_if_broken(loss)
        optimizer.step()
        if lr_schedule is not None:
            lr_schedule.step()

    def _loss(self, step: int, batch: Batch) -> Tensor:
        """The loss of one step. Its noise is a function of (noise, step, rank)."""
        noise.seed_draws(batch.x.device, "train", self.noise, step, self.global_rank)
        weight = 1.0 if self.kl_schedule is None else self.kl_schedule(step)
        loss, reported = self.objective(self.model, batch, weight)
        self.recorder.add(step, loss, reported, self.objective.partial)
        return loss

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Looks at the gradient and clips it; 16-mixed has scaled it back by now."""
        gradients = [p.grad for p in self._watched if p.grad is not None]
        # In 16-mixed infinite gradients are how the scale is found, and such steps are left out.
        if gradients and self.trainer.precision != "16-mixed":
            norms = torch._foreach_norm(gradients)
            self.recorder.add_gradient(torch.stack(norms).sum())
        if self.gradient_clip is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters(), self.gradient_clip)

    def _skip_if_broken(self, loss: Tensor) -> None:
        """Takes the gradients away if one is no number: the step then changes nothing."""
        scaled = self.trainer.precision == "16-mixed"  # whose scaler sees to the gradients itself
        gradients = [] if scaled else [p.grad for p in self.parameters() if p.grad is not None]
        size = torch.stack([loss.detach(), *torch._foreach_norm(gradients)]).sum()
        if self.trainer.strategy.reduce_boolean_decision(bool(size.isfinite())):
            self._skipped_in_a_row = 0
            return
        error = self.recorder.drop(torch.full((), math.nan))
        self.skipped, self._skipped_in_a_row = self.skipped + 1, self._skipped_in_a_row + 1
        if self._skipped_in_a_row >= SKIPPED_AT_MOST:
            raise TrainingError(f"{error} {SKIPPED_AT_MOST} steps in a row were left out.")
        self.report(f"{str(error).partition('. ')[0]}: left out")
        for parameter in () if scaled else self.parameters():
            parameter.grad = None

    def check_numbers(self) -> None:
        """Stops the run if the latest numbers are none: such weights are not to be saved."""
        errors = [e for e in gather(self.recorder.check()) if e is not None]
        if errors:
            raise errors[0]

    def write_curves(self) -> None:
        """Writes the averages of the last steps, and stops the run if they are no numbers."""
        told = gather(self.recorder.read())
        errors = [error for _, error in told if error is not None]  # one rank stops all
        if errors:
            raise errors[0]
        # Of the global batch, of which all processes have equal shares.
        averages = {name: sum(a[name] for a, _ in told) / len(told) for name in told[0][0]}
        self.recorder.averages = averages or self.recorder.averages
        if self.logger is None or not averages:
            return
        curves = {f"train/{name}": value for name, value in averages.items()}
        curves |= {f"train/{name}": value for name, value in self.objective.term_weights.items()}
        if self.kl_schedule is not None:
            curves["train/weight"] = self.kl_schedule(self.global_step)
        curves["train/lr"] = self.optimizers().param_groups[0]["lr"]  # type: ignore[union-attr]
        self.logger.log_metrics(curves, step=self.global_step)
        self.recorder.curves = curves

    def on_validation_epoch_start(self) -> None:
        """See Lightning."""
        self.write_curves()  # nothing that is no number reaches a checkpoint
        self.evaluation = Evaluation(self.metrics, self.seed, "validation")

    def validation_step(self, batch: tuple[int, Batch | None], batch_idx: int) -> None:
        """Adds a batch to the sums, in full precision, as the test does."""
        number, images = batch
        if images is not None:
            with torch.autocast(self.device.type, enabled=False):
                self.evaluation.add(self.model, number, images.to(self.device))

    def on_validation_epoch_end(self) -> None:
        """Hands the numbers to the loggers, to early stopping and to the checkpoints."""
        found = self.evaluation.results(gather(self.evaluation.state))
        results = {key: value for key, value in found.items() if value is not None}
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
        self.validated_at = self.global_step

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Makes the checkpoint one that explains itself, and says where it stands."""
        checkpoint |= {
            "config": self.config,
            "validated_at": self.validated_at,
            "skipped": self.skipped,
            "restores": self.restores,
            "recorder": merged(gather(self.recorder.state_dict())),
            "optimizer": type(self.optimizers(use_pl_optimizer=False)).__qualname__,
        }
        # What a checkpoint needs of Lightning's loops is the step: where a validation or an epoch
        # of theirs was interrupted does not matter, for the order starts where the step says.
        fit_loop = checkpoint["loops"]["fit_loop"]
        checkpoint["loops"] = {"fit_loop": {LOOP_STEPS: fit_loop[LOOP_STEPS]}}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """See Lightning. Earlier versions saved after validations alone."""
        check_steps(checkpoint)
        self.validated_at = checkpoint.get("validated_at", checkpoint["global_step"])
        self.skipped = checkpoint.get("skipped", 0)
        self._recorded = checkpoint.get("recorder")
        adopt(checkpoint, self.make_optimizer(self.parameters()), self.make_lr_schedule)
