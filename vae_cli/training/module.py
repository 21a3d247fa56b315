"""The loop that trains."""

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import torch
from omegaconf import OmegaConf
from pytorch_lightning import LightningModule
from torch import Tensor

from vae_cli import noise
from vae_cli.data.batch import Batch
from vae_cli.errors import TrainingError
from vae_cli.metric.base import Evaluation
from vae_cli.objective.base import Loss
from vae_cli.training.compilation import compiled
from vae_cli.training.experiment import Experiment
from vae_cli.training.optimizer_state import adopt, optimizers_of
from vae_cli.training.precision import changes_products, matmul_precision
from vae_cli.training.ranks import gather
from vae_cli.training.recorder import ADVICE, Recorder, error_in, merged
from vae_cli.training.restored import LOOP_STEPS, check_steps
from vae_cli.training.turn import Turn, turns_of

SKIPPED_AT_MOST = 100  # steps in a row


def noise_seed(seed: int, restores: int) -> object:
    """What the noise of training depends on: after a restore the draws that failed do not recur."""
    return (seed, restores) if restores else seed


def _curve(key: str) -> str:
    """The name of a validation curve; the parts of a number form a group."""
    return f"validation_{key}" if "/" in key else f"validation/{key}"


class TrainingModule(LightningModule):
    """Minimizes an objective over a model and measures it on the validation images.

    ``training_step`` is the loop: draw a batch, let each player step, write curves, save, stop.
    Lightning validates after it, and calls it again.

    Args:
        experiment: What is trained, and how.
        restores: How many times the run has gone back to a checkpoint; the noise depends on it.
        after_step: Called with the number of steps taken, after each; saves and stops the run.
        report: Called with a note about a step that was skipped.
    """

    def __init__(
        self,
        experiment: Experiment,
        *,
        restores: int,
        after_step: Callable[[int], None],
        report: Callable[[str], None],
    ) -> None:
        super().__init__()
        self.automatic_optimization = False  # a training step is many steps of optimization
        config, options = experiment.config, experiment.trainer
        self.experiment, self.restores = experiment, restores
        self.after_step, self.report = after_step, report
        self.model, self.objective = experiment.model, experiment.objective
        self.kl_schedule = experiment.kl_schedule
        players = self.objective.players(self.model)
        self.players = compiled(players) if options.compile else players
        self.metrics = {name: m for name, m in experiment.metrics.items() if not m.is_costly}
        self.seed, self.noise = config.seed, noise_seed(config.seed, restores)
        self.total_steps = config.derived.total_steps
        self.validation_interval = options.validate_every * config.derived.steps_per_epoch
        self.gradient_clip, self.skips_broken = options.gradient_clip, options.on_nan == "skip"
        self.matmul_precision = experiment.accelerator.matmul_precision
        self.validated_at, self.skipped, self._skipped_in_a_row = 0, 0, 0
        self._recorded: dict[str, Any] | None = None  # since the last resume
        self.config_text = OmegaConf.to_yaml(config)
        self.recorder = Recorder(options.log_every)
        self.evaluation = Evaluation(self.metrics, self.seed, "validation")

    def configure_optimizers(self) -> Any:
        """See Lightning. Each player has an optimizer, and a learning-rate schedule if any has."""
        optimizers = optimizers_of(self.players, self.experiment.make_optimizer)
        make_lr_schedule = self.experiment.make_lr_schedule
        return optimizers, list(map(make_lr_schedule, optimizers)) if make_lr_schedule else []

    def on_train_start(self) -> None:
        """Prepares the loop; stops at once if all steps have been taken."""
        if self._recorded is not None:
            self.recorder.load_state_dict(self._recorded, self.device)
        ended = self.global_step >= self.total_steps
        self.trainer.should_stop = ended and not self._validation_is_due(self.global_step)
        self._turns = turns_of(self.players, self.trainer.strategy)
        if self.experiment.trainer.compile and not self.trainer.should_stop:
            self.report("trainer.compile=true: the first step takes up to a minute")
        wanted = self.matmul_precision
        if wanted != "highest" and not changes_products(wanted, self.device):
            self.report(f"accelerator.matmul_precision={wanted}: changes nothing on this device")
        self._schedules = [config.scheduler for config in self.trainer.lr_scheduler_configs]

    def training_step(self, batches: Iterator[Batch], batch_idx: int) -> None:
        """Takes all steps until the next validation.

        No step is due if the run was stopped in the middle of a validation.
        """
        step = self.global_step
        while not self._validation_is_due(step):
            with matmul_precision(self.matmul_precision):
                self._play(step, next(batches).to(self.device))
            step = self.global_step
            if self.recorder.is_full:
                self.write_curves()
            self.after_step(step)
        self.trainer.should_stop = step >= self.total_steps

    def _validation_is_due(self, step: int) -> bool:
        """Whether a validation comes next."""
        is_boundary = step % self.validation_interval == 0 or step >= self.total_steps
        return is_boundary and step > self.validated_at

    def _play(self, step: int, batch: Batch) -> None:
        """Lets each player step on a batch: one step of training."""
        losses, reported, is_finite = dict[str, Tensor](), dict[str, Tensor](), True
        norms: list[Tensor] = []
        for turn in self._turns:
            # The other players' weights get no gradient meanwhile.
            with self.toggled_optimizer(turn.optimizer) if len(self._turns) > 1 else nullcontext():
                loss, own = self._loss(turn, step, batch)
                turn.compute_gradients(loss)
            losses[turn.loss_name], reported = loss, reported | own
            if self.skips_broken and not self._is_finite(turn, loss):
                is_finite = False
            norms += turn.take_step(self.gradient_clip)
        for schedule in self._schedules:
            schedule.step()
        partial = self.objective.partial
        if not is_finite:
            self._report_skipped(error_in(step, losses, reported, partial))
            return
        self._skipped_in_a_row = 0
        gradient = torch.stack(norms).sum() if norms else None
        self.recorder.add(step, losses, reported, partial, gradient)

    def _loss(self, turn: Turn, step: int, batch: Batch) -> Loss:
        """The loss of a turn. Its noise is a function of (noise, step, rank) and the turn."""
        stream = ("train", self.noise, step, self.global_rank)
        noise.seed_draws(batch.x.device, *stream, *([turn.number] if turn.number else []))
        weight = 1.0 if self.kl_schedule is None else self.kl_schedule(step)
        return turn.player.loss(self.model, batch, weight)

    def _is_finite(self, turn: Turn, loss: Tensor) -> bool:
        """Whether loss and gradients are finite on all ranks; else removes the gradients."""
        scaled = self.trainer.precision == "16-mixed"  # whose scaler skips such steps itself
        parameters = [] if scaled else turn.player.parameters
        gradients = [p.grad for p in parameters if p.grad is not None]
        norm = torch.stack([loss.detach(), *torch._foreach_norm(gradients)]).sum()
        if self.trainer.strategy.reduce_boolean_decision(bool(norm.isfinite())):
            return True
        for parameter in parameters:
            parameter.grad = None
        return False

    def _report_skipped(self, error: TrainingError) -> None:
        """Notes that a step was skipped; raises the error after too many in a row."""
        self.skipped, self._skipped_in_a_row = self.skipped + 1, self._skipped_in_a_row + 1
        if self._skipped_in_a_row >= SKIPPED_AT_MOST:
            what = f"{error.what} {SKIPPED_AT_MOST} steps in a row were skipped."
            raise TrainingError(what, error.remedy)
        self.report(f"{error.what.rstrip('.')}: step skipped")

    def check_numbers(self) -> None:
        """Raises if the latest numbers are NaN or infinite: such weights must not be saved."""
        errors = [e for e in gather(self.recorder.check()) if e is not None]
        if errors:
            raise errors[0]

    def write_curves(self) -> None:
        """Writes the averages of the last steps; raises if they are NaN or infinite."""
        reports = gather(self.recorder.read())
        errors = [error for _, error in reports if error is not None]  # one rank stops all
        if errors:
            raise errors[0]
        # Of the global batch, of which all processes have equal shares.
        averages = {n: sum(a[n] for a, _ in reports) / len(reports) for n in reports[0][0]}
        self.recorder.averages = averages or self.recorder.averages
        if self.logger is None or not averages:
            return
        curves = {f"train/{name}": value for name, value in averages.items()}
        curves |= {f"train/{name}": value for name, value in self.objective.term_weights.items()}
        if self.kl_schedule is not None:
            curves["train/weight"] = self.kl_schedule(self.global_step)
        curves["train/lr"] = self.trainer.optimizers[0].param_groups[0]["lr"]
        self.logger.log_metrics(curves, step=self.global_step)
        self.recorder.curves = curves

    def on_validation_epoch_start(self) -> None:
        """See Lightning."""
        self.write_curves()  # never checkpoint non-finite values
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
                f"step {self.global_step}: validation/{broken[0]} is {value}.", ADVICE
            )
        curves = {_curve(key): float(value) for key, value in results.items()}
        # Where callbacks read them. self.log would import torchmetrics, which takes a second.
        self.trainer.callback_metrics.update(
            {name: torch.tensor(value) for name, value in curves.items()}
        )
        if self.logger is not None:
            self.logger.log_metrics(curves, step=self.global_step)
        self.validated_at = self.global_step

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Makes the checkpoint one that explains itself, and says where it stands."""
        checkpoint |= {
            "config": self.config_text,
            "validated_at": self.validated_at,
            "skipped": self.skipped,
            "restores": self.restores,
            "recorder": merged(gather(self.recorder.state_dict())),
            "optimizer": type(self.trainer.optimizers[0]).__qualname__,
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
        make = self.experiment.make_optimizer
        adopt(checkpoint, optimizers_of(self.players, make), self.experiment.make_lr_schedule)
