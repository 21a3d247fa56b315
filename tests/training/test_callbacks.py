"""When a run stops, on scores and losses made up."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from vae_cli.errors import TrainingError
from vae_cli.training.callbacks import EarlyStopping
from vae_cli.training.recorder import Recorder

STOPS = [  # scores of validations ten steps apart, patience, settled_at, the step of the stop
    ([1, 2, 3, 4], 1, 0, None),
    ([1, 0], 1, 0, 20),
    ([1, 1], 1, 0, 20),
    ([5, 4, 3, 6, 5, 4], 3, 0, None),
    ([5, 4, 3, 2], 3, 0, 40),
    ([5, 4, 3, 2, 1], 1, 25, 40),
    ([5, 4, 3, 2], 1, 50, None),
    ([5, 4, 3, 2, 3, 4], 1, 40, None),
]


def trainer(step: int, score: float, **more: Any) -> Any:
    return SimpleNamespace(
        strategy=SimpleNamespace(barrier=lambda: None),
        global_step=step, callback_metrics={"s": torch.tensor(score)}, should_stop=False,
        is_global_zero=True, **more,
    )  # fmt: skip


@pytest.mark.parametrize(("scores", "patience", "settled_at", "stop"), STOPS)
def test_early_stopping(
    scores: list[float], patience: int, settled_at: int, stop: int | None
) -> None:
    callback, stopped = EarlyStopping("s", patience, settled_at), []
    for number, score in enumerate(scores, start=1):
        callback = _reloaded(callback, EarlyStopping("s", patience, settled_at))
        now = trainer(10 * number, score)
        callback.on_validation_end(now, None)  # type: ignore[arg-type]
        stopped += [now.global_step] * now.should_stop
    assert stopped[:1] == ([] if stop is None else [stop])


def _reloaded(old: Any, new: Any) -> Any:
    new.load_state_dict(old.state_dict())
    return new


@pytest.mark.parametrize(
    ("loss", "kl", "said"),
    [
        ([1.0, float("nan"), 1.0], [1.0, float("nan"), 1.0], "step 8: train/kl is nan"),
        ([1.0, 1.0, float("inf")], [1.0, 1.0, 1.0], "step 9: train/loss is infinite"),
    ],
)
def test_recorder_names_step_and_term(loss: list[float], kl: list[float], said: str) -> None:
    recorder = Recorder(3)
    for step, (a, b) in enumerate(zip(loss, kl, strict=True), start=7):
        assert not recorder.is_full
        recorder.add(
            step, {"loss": torch.tensor(a)}, {"elbo": torch.ones(2), "kl": torch.full((2,), b)}
        )
    assert recorder.is_full
    _, error = recorder.read()
    assert isinstance(error, TrainingError) and said in str(error)
    assert recorder.read() == ({}, None)
