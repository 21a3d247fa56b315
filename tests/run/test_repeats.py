"""The same again, the same in two parts, and what tells runs apart."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

SMALL = ("network.hidden_dims=[16]", "posterior=planar", "kl_schedule=linear",
         "kl_schedule.warmup_steps=60", "data.batch_size=100")  # fmt: skip
EPOCH = 14  # steps
Train = Callable[..., Path]


def checkpoint(folder: Path, name: str = "last") -> dict[str, Any]:
    return torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True)


def flat(node: Any) -> list[Any]:
    """All numbers of a nested state, tensors as lists."""
    if isinstance(node, dict):
        return [n for key in node for n in flat(node[key])]
    if isinstance(node, (list, tuple)):
        return [n for child in node for n in flat(child)]
    return node.flatten().tolist() if isinstance(node, torch.Tensor) else [node]


def weights(folder: Path) -> list[float]:
    return flat(checkpoint(folder)["state_dict"])


def outcome(folder: Path) -> dict[str, Any]:
    numbers = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return {key: value for key, value in numbers.items() if key.startswith("test/")}


def changes(folder: Path) -> dict[Path, int]:
    """When each file of a run was last written, but for the lock."""
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.name != "lock"}


def test_seed_decides(vae_train: Train) -> None:
    runs = [vae_train(*SMALL, "trainer.max_steps=20", f"seed={s}", name=n)
            for s, n in ((1, "a"), (1, "b"), (2, "c"))]  # fmt: skip
    assert weights(runs[0]) == weights(runs[1]) != weights(runs[2])
    assert outcome(runs[0]) == outcome(runs[1]) != outcome(runs[2])


PARTS = [  # how long the first part is, and the whole
    ("trainer.max_epochs=1", "trainer.max_epochs=2", "optimizer/lr_schedule=exponential"),
    (
        f"trainer.max_steps={EPOCH + 3}",
        f"trainer.max_steps={2 * EPOCH}",
        "optimizer/lr_schedule=exponential",
    ),
    (
        f"trainer.max_steps={EPOCH + 3}",
        f"trainer.max_steps={2 * EPOCH}",
        "optimizer.lr_schedule=null",
    ),
    (f"trainer.max_steps={EPOCH}", f"trainer.max_steps={EPOCH + 5}", "optimizer.lr_schedule=null"),
]


@pytest.mark.parametrize(("part", "whole", "schedule"), PARTS)
def test_resumed_is_as_if_never_stopped(
    part: str, whole: str, schedule: str, vae_train: Train
) -> None:
    setting = (*SMALL, schedule)
    straight = vae_train(*setting, whole, name="straight")
    first = vae_train(*setting, part, name="first")
    before = weights(first)
    vae_train(f"resume={first}", whole)
    assert weights(first) == weights(straight) != before
    for state in ("optimizer_states", "lr_schedulers"):
        assert flat(checkpoint(first)[state]) == flat(checkpoint(straight)[state])
    assert checkpoint(first)["global_step"] == checkpoint(straight)["global_step"]
    if "epochs" in part:  # else there was one validation more
        assert outcome(first) == outcome(straight)
    assert len((first / "command.txt").read_text().splitlines()) == 2


def test_finished_run_says_so(vae_train: Train, capsys: pytest.CaptureFixture[str]) -> None:
    folder = vae_train(*SMALL, "trainer.max_steps=3")
    before = changes(folder)
    vae_train(f"resume={folder}")
    assert "has finished" in capsys.readouterr().out
    assert changes(folder) == before


def test_partial_epoch_is_validated(vae_train: Train) -> None:
    steps = EPOCH + 3
    folder = vae_train(*SMALL, f"trainer.max_steps={steps}", "logger=csv")
    assert checkpoint(folder)["global_step"] == steps
    lines = [line.split(",") for line in (folder / "metrics.csv").read_text().splitlines()]
    step, bound = lines[0].index("step"), lines[0].index("validation/elbo")
    validated = {int(line[step]): float(line[bound]) for line in lines[1:] if line[bound]}
    assert list(validated) == [EPOCH, steps]
    best = checkpoint(folder, "best")["global_step"]
    assert best == max(validated, key=lambda s: validated[s])


def test_early_stopping_waits_for_the_schedule(vae_train: Train) -> None:
    setting = (*SMALL, "optimizer.lr=1e-12", "trainer.patience=1", "posterior=diagonal")
    early = vae_train(*setting, "trainer.max_epochs=9", "kl_schedule.warmup_steps=1", name="early")
    late = vae_train(*setting, "trainer.max_epochs=9", name="late")
    assert checkpoint(early)["global_step"] < checkpoint(late)["global_step"] < 9 * EPOCH
    assert checkpoint(late)["global_step"] > 60


def test_clipping_acts(vae_train: Train) -> None:
    setting = (*SMALL, "optimizer=rmsprop", "trainer.max_steps=2")
    runs = [
        vae_train(*setting, f"trainer.gradient_clip={clip}", name=f"clip{clip}")
        for clip in ("null", "1e9", "1e-9")
    ]
    assert weights(runs[0]) == weights(runs[1]) != weights(runs[2])
