"""When a run is saved, and how its checkpoints take each other's place."""

import math
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from vae_cli.errors import shell_word
from vae_cli.folders import new_name, open_new, opened_folder
from vae_cli.metric.reported import is_same_number
from vae_cli.training.checkpoint_file import CheckpointError, read_checkpoint
from vae_cli.training.module import TrainingModule
from vae_cli.training.ranks import gather
from vae_cli.training.signals import Signals
from vae_cli.training.wish import Wish


class Checkpoints(Callback):
    """Keeps ``last.ckpt``, the one before as ``previous.ckpt``, and ``best.ckpt``.

    The run is saved after each validation, every so often in between, and when a signal asks for
    it. Each file is written under another name and then renamed, so that it is whole at any
    moment; best.ckpt comes first, so that last.ckpt never speaks of a best one that is not there.

    Args:
        folder: Where to.
        monitor: Name of the number that is largest in ``best.ckpt``.
        signals: What asks the run to save, or to stop.
        every_steps: Steps between checkpoints; None saves at validations alone.
        every_minutes: Minutes between checkpoints at most; None likewise.
    """

    def __init__(
        self,
        folder: Path,
        monitor: str,
        signals: Signals,
        every_steps: int | None = None,
        every_minutes: float | None = None,
    ) -> None:
        self.folder, self.monitor, self.signals = folder, monitor, signals
        self.every_steps, self.every_minutes = every_steps, every_minutes
        self.best, self._saved_at = -math.inf, 0.0
        self.numbers: dict[str, float] = {}  # of the best one's validation

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Takes the signals back: Lightning has put its own handlers in their place."""
        self.signals.install()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """From here on signals wait for the end of a step.

        Raises:
            Interrupted: If the run is to stop before its first step.
        """
        self._saved_at = time.monotonic()
        self.signals.install()
        self.signals.defer()
        wish = self.signals.agreed()
        if wish is Wish.STOP:
            self.signals.stop(self.signals.last_words())
        self.signals.wish = max(self.signals.wish, wish)  # saved after the first step

    def after_step(self, module: TrainingModule, step: int) -> None:
        """Saves if it is time to, or if any process was asked to.

        Raises:
            Interrupted: Once saved, if the run is to stop.
            CheckpointError: If it can't be saved.
        """
        wish = self.signals.agreed_before(self._own_wish(step))
        if wish is not Wish.NONE:
            module.check_numbers()
            self.save(module.trainer)
        if wish is Wish.STOP:
            self._stop(step)

    def on_validation_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """Leaves the validation if the run is to stop; it is done again when the run is resumed."""
        if self.signals.agreed() is Wish.STOP:
            self.save(trainer)
            self._stop(trainer.global_step)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Saves the run, and whether it was never better."""
        score = float(trainer.callback_metrics[self.monitor])
        is_best = score > self.best
        if is_best:
            self.best = score
            self.numbers = {name: float(n) for name, n in trainer.callback_metrics.items()}
        self.save(trainer, is_best)

    def save(self, trainer: Trainer, is_best: bool = False) -> None:
        """Writes ``last.ckpt``; all processes call it.

        Raises:
            CheckpointError: If that can't be done; the files are then as before.
        """
        new = self.folder / new_name("last.ckpt")
        trainer.save_checkpoint(new)
        failure: str | None = trainer.strategy.checkpoint_io.failure  # type: ignore[attr-defined]
        if trainer.is_global_zero and failure is None:
            try:
                with opened_folder(self.folder) as folder:
                    _take_places(new.name, is_best, folder)
            except OSError as error:  # its name is a temporary one; and others wait meanwhile
                failure = f"{self.folder}: no checkpoint can be written ({error.strerror})"
        failures = [each for each in gather(failure) if each]  # all stop if one fails
        if failures:
            raise CheckpointError(f"{failures[0]}. {self._remedy}")
        self._saved_at = time.monotonic()

    def _own_wish(self, step: int) -> Wish:
        minutes = (time.monotonic() - self._saved_at) / 60
        is_time = self.every_minutes is not None and minutes >= self.every_minutes
        is_step = self.every_steps is not None and step % self.every_steps == 0
        return Wish.SAVE if is_time or is_step else Wish.NONE

    def _stop(self, step: int) -> None:
        self.signals.stop(f"stopped and saved at step {step}. {self._remedy}")

    @property
    def _remedy(self) -> str:
        return f"Resume with vae-train resume={shell_word(self.folder.parent)}"

    def state_dict(self) -> dict[str, Any]:
        """See Lightning."""
        return {"best": self.best, "numbers": self.numbers, "monitor": self.monitor}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """See Lightning. A best one that is lost, damaged or best by another number is not kept."""
        self.best = -math.inf
        if not is_same_number(state_dict.get("monitor"), self.monitor):
            return
        with suppress(CheckpointError):
            read_checkpoint(self.folder / "best.ckpt")
            self.best = float(state_dict["best"])
            numbers = state_dict.get("numbers", {})  # earlier versions kept none
            self.numbers = {str(name): float(value) for name, value in numbers.items()}


def _take_places(new: str, is_best: bool, folder: int) -> None:
    """Makes a new file ``last.ckpt``, and the best one if it is, after which it is durable."""
    try:
        if is_best:
            _link(new, "best.ckpt", folder)
        with suppress(FileNotFoundError):
            _link("last.ckpt", "previous.ckpt", folder)
        os.replace(new, "last.ckpt", src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(new, dir_fd=folder)
        raise
    _sync(folder)


def _link(source: str, target: str, folder: int) -> None:
    """Gives a file a second name, in place of what had it."""
    partial = new_name(target)
    try:
        try:
            os.link(source, partial, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            raise
        except OSError:  # a file system without links
            _copy(source, partial, folder)
        os.replace(partial, target, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        with suppress(OSError):  # still there if both were the same file already
            os.unlink(partial, dir_fd=folder)


def _copy(source: str, target: str, folder: int) -> None:
    handle = os.open(source, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0), dir_fd=folder)
    with os.fdopen(handle, "rb") as old, open_new(target, folder) as new:
        shutil.copyfileobj(old, new)


def _sync(folder: int) -> None:
    """Has the disk remember the names in a folder; where it can't be asked to, it will anyway."""
    with suppress(OSError):
        os.fsync(folder)
