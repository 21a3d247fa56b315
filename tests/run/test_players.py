"""An objective with two players: each has its loss, its optimizer and its steps."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from vae_cli.training.checkpoint_file import read_checkpoint

Train = Callable[..., Path]
# The weights a and b play f = a² + 3ab - b²: a goes down the slope of f twice, then b goes up once.
GAME = """
import torch
from vae_cli.model.vae import VAE
from vae_cli.objective.base import Objective, Player


class Game(VAE):
    def __init__(self, **sizes):
        super().__init__(**sizes)
        self.a = torch.nn.Parameter(torch.tensor([0.5]))
        self.b = torch.nn.Parameter(torch.tensor([-1.0]))


class Duel(Objective):
    monitor = "elbo"
    model_class = Game

    def players(self, model):
        rest = [p for n, p in model.named_parameters() if n not in ("a", "b")]
        return [
            Player("down", [model.a, *rest], self.down, steps=2),
            Player("up", [model.b], self.up),
        ]

    def down(self, model, batch, weight):
        terms = model.terms(batch, 1, False)
        elbo = terms.log_weight.mean(0)
        loss = self.value(model) - elbo.mean() * 0
        return loss, {"elbo": elbo.detach(), "noise": torch.rand(len(batch.x))}

    def up(self, model, batch, weight):
        return -self.value(model), {"b": model.b.detach().expand(len(batch.x))}

    def value(self, model):
        return (model.a.square() + 3 * model.a * model.b - model.b.square()).sum()
"""
RATE = 0.05
CHOSEN = [
    "model=game", "objective=duel", "optimizer=game", f"optimizer.lr={RATE}", "logger=csv",
    "trainer.log_every=1",
]  # fmt: skip


@pytest.fixture(autouse=True)
def game(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own model, objective and optimizer."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    (tmp_path / "game.py").write_text(GAME)
    for group, text in {
        "model": "defaults: [vae, _self_]\n_target_: game.Game\n",
        "objective": "_target_: game.Duel\n",
        "optimizer": "defaults: [{lr_schedule: constant}, _self_]\n_target_: torch.optim.SGD\n"
        "_partial_: true\nlr: 0.1\n",
    }.items():
        (tmp_path / "conf" / group).mkdir(parents=True)
        name = "duel" if group == "objective" else "game"
        (tmp_path / "conf" / group / f"{name}.yaml").write_text(text)


def play(steps: int) -> tuple[float, float]:
    """The players' weights after some steps, in double precision."""
    a, b = 0.5, -1.0
    for _ in range(steps):
        for _ in range(2):
            a -= RATE * (2 * a + 3 * b)
        b += RATE * (3 * a - 2 * b)
    return a, b


def weights(run: Path) -> dict[str, torch.Tensor]:
    return read_checkpoint(run / "checkpoints" / "last.ckpt")["state_dict"]


def test_each_player_steps_by_its_own_loss(vae_train: Train) -> None:
    run = vae_train(*CHOSEN, "trainer.max_steps=7")
    found = weights(run)
    assert (found["model.a"].item(), found["model.b"].item()) == pytest.approx(play(7), rel=1e-5)
    state = read_checkpoint(run / "checkpoints" / "last.ckpt")
    assert state["global_step"] == 7 and len(state["optimizer_states"]) == 2
    head, *rows = (run / "metrics.csv").read_text().splitlines()
    assert {"train/down_loss", "train/up_loss", "train/b"} <= set(head.split(","))
    assert len(rows) >= 7


@pytest.mark.parametrize("optimizer", ["game", "adam"])
def test_resumed_it_ends_with_identical_weights(vae_train: Train, optimizer: str) -> None:
    chosen = [*CHOSEN, f"optimizer={optimizer}", "optimizer/lr_schedule=exponential"]
    whole = vae_train(*chosen, "trainer.max_steps=9", name="whole")
    parts = vae_train(*chosen, "trainer.max_steps=4", name="parts")
    vae_train("resume=parts", "trainer.max_steps=9", "trust=true")
    ours, theirs = (read_checkpoint(run / "checkpoints" / "last.ckpt") for run in (parts, whole))
    assert len(ours["lr_schedulers"]) == 2
    for name, value in theirs["state_dict"].items():
        assert torch.equal(ours["state_dict"][name], value), name


def test_draws_differ_from_turn_to_turn(vae_train: Train) -> None:
    run = vae_train(*CHOSEN, "trainer.max_steps=3")
    head, *rows = [line.split(",") for line in (run / "metrics.csv").read_text().splitlines()]
    column = head.index("train/noise")
    drawn = [row[column] for row in rows if row[column]]
    assert len(set(drawn)) == len(drawn) == 3


def test_two_processes_play_the_same_game(tmp_path: Path) -> None:
    quick = ["trainer.max_steps=5", "accelerator=ddp_cpu", "metric=[]", "figure=[]"]
    program = [sys.executable, "-P", "-m", "vae_cli.commands.train"]
    done = subprocess.run(
        [*program, *CHOSEN, *quick, "hydra.run.dir=run"], cwd=tmp_path, capture_output=True,
        text=True, timeout=90,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = weights(tmp_path / "run")
    assert (found["model.a"].item(), found["model.b"].item()) == pytest.approx(play(5), rel=1e-5)
