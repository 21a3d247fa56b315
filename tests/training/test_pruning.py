"""A run tells its study of each validation, and ends when the study has seen enough."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
import pytest

from vae_cli.errors import Pruned, VaeCliError
from vae_cli.training import pruning
from vae_cli.training.pruning import Pruning
from vae_cli.training.study import Trial, open_study

STEPS = 10  # an epoch
KEY = "validation/elbo"


def study_in(folder: Path, direction: str = "maximize") -> optuna.Study:
    sampler = optuna.samplers.RandomSampler(seed=0)
    return open_study(f"sqlite:///{folder}/study.db", "s", {KEY: direction}, sampler)


def callback(folder: Path, study: optuna.Study, **changes: Any) -> Pruning:
    trial = Trial(f"sqlite:///{folder}/study.db", "s", study.ask().number, KEY, "median", 1, 0)
    return Pruning(trial._replace(**changes), STEPS)


def validate(callback: Pruning, epoch: int, value: float, last: bool = False, rank: int = 0) -> Any:
    trainer: Any = SimpleNamespace(
        global_step=epoch * STEPS, callback_metrics={KEY: value}, is_global_zero=rank == 0,
        should_stop=last,
    )  # fmt: skip
    return callback.on_validation_end(trainer, None)  # type: ignore[arg-type]


def finish(folder: Path, study: optuna.Study, values: list[float]) -> None:
    run = callback(folder, study)
    for epoch, value in enumerate(values, 1):
        validate(run, epoch, value, last=epoch == len(values))
    study.tell(run.trial.number, max(values))


def test_below_the_median(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    finish(tmp_path, study, [-9.0, -5.0, -4.0])
    run = callback(tmp_path, study)
    validate(run, 1, -8.0)
    with pytest.raises(Pruned, match=r"^pruned after epoch 2, with validation/elbo=-7\.00$"):
        validate(run, 2, -7.0)
    assert study.trials[1].intermediate_values == {1: -8.0, 2: -7.0}
    assert Pruned.exit_code == 76


def test_small_is_good(tmp_path: Path) -> None:
    study = study_in(tmp_path, "minimize")
    finish(tmp_path, study, [9.0, 5.0])
    run = callback(tmp_path, study)
    validate(run, 1, 8.0)
    with pytest.raises(Pruned):
        validate(callback(tmp_path, study), 1, 10.0)


@pytest.mark.parametrize("changes", [{"startup_trials": 2}, {"warmup_epochs": 3}])
def test_too_early_to_tell(tmp_path: Path, changes: dict[str, int]) -> None:
    study = study_in(tmp_path)
    finish(tmp_path, study, [-9.0, -5.0, -4.0])
    run = callback(tmp_path, study, **changes)
    validate(run, 1, -90.0)
    validate(run, 2, -90.0)


def test_hyperband(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    ended = []
    for number in range(12):
        run = callback(tmp_path, study, pruner="hyperband")
        value, state = -float(number), optuna.trial.TrialState.COMPLETE
        try:
            for epoch in range(1, 6):
                validate(run, epoch, value, last=epoch == 5)
        except Pruned:
            ended.append(number)
            state = optuna.trial.TrialState.PRUNED
        study.tell(number, value if state.name == "COMPLETE" else None, state)
    assert ended
    assert 0 not in ended


def test_nothing_is_saved_by_ending_at_the_end(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    finish(tmp_path, study, [-9.0, -5.0])
    run = callback(tmp_path, study, warmup_epochs=2)
    validate(run, 1, -90.0)
    validate(run, 2, -90.0, last=True)
    assert study.trials[1].intermediate_values[2] == -90.0


def test_a_validation_is_done_again(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    run = callback(tmp_path, study)
    validate(run, 1, -9.0)
    validate(run, 1, -9.0)  # after the run was stopped before it was saved
    assert study.trials[0].intermediate_values == {1: -9.0}


def test_epochs_whatever_the_batch(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    run = callback(tmp_path, study)
    run.steps_per_epoch = 7  # an epoch's end is then within one
    validate(run, 1, -9.0)
    assert [*study.trials[0].intermediate_values] == [2]


def test_all_processes_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_in(tmp_path)
    run = callback(tmp_path, study)
    said: list[object] = [Pruned("by rank 0")]
    monkeypatch.setattr(pruning, "gather", lambda own: [*said, own])
    with pytest.raises(Pruned, match="by rank 0"):
        validate(run, 1, -9.0, rank=1)
    assert not study.trials[0].intermediate_values  # one tells


def test_number_that_no_validation_has(tmp_path: Path) -> None:
    run = callback(tmp_path, study_in(tmp_path), objective="validation/mood")
    with pytest.raises(VaeCliError, match=r"validation/mood.* There are validation/elbo\."):
        validate(run, 1, -9.0)


def test_trial_that_has_ended(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    run = callback(tmp_path, study)
    study.tell(0, -1.0)
    with pytest.raises(VaeCliError, match=r"^sweep\.storage: trial 0 can't be reported"):
        validate(run, 1, -9.0)
