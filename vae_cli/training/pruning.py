"""Ends a run of which its study expects nothing more."""

import math
from typing import NamedTuple

from optuna import Study, load_study
from optuna.exceptions import OptunaError
from optuna.storages import BaseStorage
from pytorch_lightning import Callback, LightningModule, Trainer

from vae_cli.errors import Pruned, VaeCliError
from vae_cli.training.ranks import gather
from vae_cli.training.study import Trial, make_pruner, storage_at


class _Place(NamedTuple):
    study: Study
    storage: BaseStorage
    key: int  # of the trial in the storage


class Pruning(Callback):
    """Tells the study of each validation, and asks whether to continue.

    One process asks, all end. The last validation is only reported: no time is left to save.

    Args:
        trial: Which this run is.
        steps_per_epoch: Trials are compared at equal epochs, whatever their batch sizes.
    """

    def __init__(self, trial: Trial, steps_per_epoch: int) -> None:
        self.trial, self.steps_per_epoch = trial, steps_per_epoch
        self._place: _Place | None = None  # of the process that asks, once it does
        self.pruner = make_pruner(trial.pruner, trial.startup_trials, trial.warmup_epochs)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Tells, and asks.

        Raises:
            Pruned: If the run is to end.
            VaeCliError: If the study can't be reached.
        """
        answers = gather(self._answer(trainer) if trainer.is_global_zero else None)
        errors = [error for error in answers if error is not None]
        if errors:
            raise errors[0]

    def _answer(self, trainer: Trainer) -> VaeCliError | None:
        trial, known = self.trial, trainer.callback_metrics
        if trial.objective not in known:
            names = ", ".join(sorted(known))
            rule = f"is not measured at each validation, as a pruner needs. There are {names}."
            return VaeCliError(f"sweep.objectives=[{trial.objective}]: {rule}")
        epoch = math.ceil(trainer.global_step / self.steps_per_epoch)
        value = float(known[trial.objective])
        try:
            is_hopeless = self._told(epoch, value)
        except VaeCliError as error:
            return error
        except OptunaError as error:
            reason = " ".join(str(error).split())
            return VaeCliError(f"sweep.storage: trial {trial.number} can't be reported: {reason}")
        if is_hopeless and not trainer.should_stop:
            return Pruned(f"pruned after epoch {epoch}, with {trial.objective}={value:.2f}")
        return None

    def _told(self, epoch: int, value: float) -> bool:
        if self._place is None:
            storage = storage_at(self.trial.storage)
            study = load_study(study_name=self.trial.study, storage=storage)
            of_study = storage.get_study_id_from_name(self.trial.study)
            key = storage.get_trial_id_from_study_id_trial_number(of_study, self.trial.number)
            self._place = _Place(study, storage, key)
        study, storage, key = self._place
        # Not Trial.report, which warns of an epoch that a resumed run repeats.
        storage.set_trial_intermediate_value(key, epoch, value)
        return self.pruner.prune(study, storage.get_trial(key))
