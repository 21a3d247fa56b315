"""A run whose numbers go wrong ends in one line, and leaves no such weights behind."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from vae_cli.commands.train import main
from vae_cli.objective.elbo import Elbo
from vae_cli.training.checkpoint_file import read_checkpoint

BROKEN = [  # what breaks it, and what is said of it
    (["optimizer.lr=1e30"], ["step 1:", "train/"]),
    (["optimizer.lr=1e30", "trainer.log_every=1"], ["step 1:", "train/"]),
    (["optimizer.lr=1e30", "trainer.max_steps=1"], ["step 1:", "validation/"]),
    (["optimizer.lr=1e30", "likelihood=gaussian", "posterior=planar"], ["step 1:", "train/"]),
]


@pytest.mark.parametrize(("overrides", "said"), BROKEN)
def test_nan_stops_the_run(
    overrides: list[str],
    said: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VAE_CLI_RUN_FOLDER", raising=False)
    steps = [] if "trainer.max_steps=1" in overrides else ["trainer.max_steps=5"]
    brief = [*steps, "hydra.run.dir=run", "logger=none", "figure=[]", "metric=[]"]
    assert main([*brief, "trainer.progress=false", *overrides]) == 2
    message = capsys.readouterr().err
    assert "Traceback" not in message and len(message.splitlines()) <= 2
    for part in [*said, "optimizer.lr"]:
        assert part in message
    for path in (tmp_path / "run" / "checkpoints").iterdir():
        state = torch.load(path, weights_only=True)["state_dict"]
        assert all(weight.isfinite().all() for weight in state.values())
    assert not (tmp_path / "run" / "results.json").exists()


BRIEF = ["network.hidden_dims=[8]", "data.batch_size=100", "trainer.max_steps=30", "logger=none"]
STEP = 20  # whose numbers break


class Breakage:
    """Makes the loss, or its gradient alone, no number: at a step, so many times."""

    def __init__(self, kind: str, times: int = 1) -> None:
        self.kind, self.times, self.calls, self.original = kind, times, 0, Elbo.__call__

    def __call__(self, objective: Any, model: Any, batch: Any, weight: float) -> Any:
        loss, reported = self.original(objective, model, batch, weight)
        if loss.is_meta or not loss.requires_grad:
            return loss, reported  # no step: memory is counted, or validation images are
        self.calls += 1
        if self.calls > STEP and self.times > 0:
            self.times -= 1
            loss = loss * math.nan if self.kind == "loss" else _broken_gradient(loss)
        return loss, reported


class _BrokenGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient * math.inf


def _broken_gradient(loss: Tensor) -> Tensor:
    return _BrokenGradient.apply(loss)  # type: ignore[no-any-return]


@pytest.fixture(params=["loss", "gradient"])
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Breakage:
    breakage = Breakage(request.param)
    monkeypatch.setattr(Elbo, "__call__", lambda *args: breakage(*args))
    return breakage


Train = Callable[..., Path]


def test_stop_names_step_and_term(
    broken: Breakage, vae_train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = ["trainer.progress=false", "metric=[]", "figure=[]", "hydra.run.dir=run"]
    assert main([*BRIEF, *quick]) == 2
    said = capsys.readouterr().err
    term = "train/loss is nan" if broken.kind == "loss" else "the gradient is "
    assert f"step {STEP}: {term}" in said


def test_skip_leaves_the_step_out(
    broken: Breakage, vae_train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    run = vae_train(*BRIEF, "trainer.on_nan=skip")
    said = capsys.readouterr().out
    term = "train/loss is nan" if broken.kind == "loss" else "the gradient is nan"
    assert f"note: step {STEP}: {term}: step skipped" in said
    last = read_checkpoint(run / "checkpoints" / "last.ckpt")
    assert last["global_step"] == 30 and last["skipped"] == 1
    assert all(weight.isfinite().all() for weight in last["state_dict"].values())
    steps = {int(s["step"]) for s in last["optimizer_states"][0]["state"].values()}
    assert steps == {29}  # Adam has not moved either
    assert json.loads((run / "results.json").read_text())["train/steps_left_out"] == 1


def test_skip_gives_up(broken: Breakage, vae_train: Train) -> None:
    broken.times = 10**6
    quick = ["trainer.progress=false", "metric=[]", "figure=[]", "hydra.run.dir=run"]
    longer = [text.replace("max_steps=30", "max_steps=500") for text in BRIEF]
    assert main([*longer, *quick, "trainer.on_nan=skip"]) == 2
    last = read_checkpoint(Path("run/checkpoints/last.ckpt"))
    assert all(weight.isfinite().all() for weight in last["state_dict"].values())


def test_restore_goes_back_with_other_noise(
    broken: Breakage, vae_train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    run = vae_train(*BRIEF, "trainer.on_nan=restore", "trainer.log_every=2")
    assert "restored step 14, with other noise" in capsys.readouterr().out
    last = read_checkpoint(run / "checkpoints" / "last.ckpt")
    assert last["global_step"] == 30 and last["restores"] == 1
    broken.times, broken.calls = 0, 0
    undisturbed = vae_train(*BRIEF, name="undisturbed")
    other = read_checkpoint(undisturbed / "checkpoints" / "last.ckpt")["state_dict"]
    assert any(not weight.equal(other[name]) for name, weight in last["state_dict"].items())
    # Gone on with, it draws what it would have drawn.
    straight = vae_train(f"resume={run}", "trainer.max_steps=45")
    assert read_checkpoint(straight / "checkpoints" / "last.ckpt")["restores"] == 1


def test_restore_gives_up(
    broken: Breakage, vae_train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    broken.times = 10**6
    quick = ["trainer.progress=false", "metric=[]", "figure=[]", "hydra.run.dir=run"]
    assert main([*BRIEF, *quick, "trainer.on_nan=restore", "trainer.log_every=2"]) == 2
    assert "stays as of step 14" in capsys.readouterr().err
    assert read_checkpoint(Path("run/checkpoints/last.ckpt"))["global_step"] == 14


def test_images_that_are_no_numbers(vae_train: Train, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    images = np.random.default_rng(0).random((50, 4, 4), dtype=np.float32)
    images[7, 1, 2] = np.nan
    np.savez("broken.npz", train=images)
    assert main(["data=array", "data.path=broken.npz", "hydra.run.dir=run"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "broken.npz" in line and not Path("run").exists()
