"""Models from checkpoints, which may be somebody else's."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from vae_cli.errors import VaeCliError
from vae_cli.run.checkpoint import load_model

HOSTILE: list[tuple[str, dict[str, Any]]] = [
    ("model", {"_target_": "os.system", "command": "touch hacked"}),
    ("model.encoder", {"_target_": "os.mkdir", "path": "hacked"}),
    ("model.prior", {"a": [{"_target_": "subprocess.run", "args": ["touch", "hacked"]}]}),
    ("model.prior", {"_target_": "torch.hub.load", "repo_or_dir": "hacked", "model": "x"}),
    ("model.prior", {"_target_": "torch.serialization.os.mkdir", "path": "hacked"}),
    (
        "model.prior",
        {"_target_": "vae_cli.run.environment.subprocess.run", "args": ["touch", "hacked"]},
    ),
    ("model.prior", {"_target_": "${oc.env:HOSTILE}", "path": "hacked"}),
    ("model.prior", {"_target_": "torch.load", "f": "hacked", "weights_only": False}),
]


@pytest.fixture
def saved(vae_train: Callable[..., Path]) -> Path:
    run = vae_train("trainer.max_steps=2", "network.hidden_dims=[8]", "posterior=radial")
    return run / "checkpoints" / "best.ckpt"


def test_same_weights(saved: Path) -> None:
    model, config = load_model(saved)
    state = torch.load(saved, weights_only=True)["state_dict"]
    assert {f"model.{name}" for name in model.state_dict()} <= state.keys()
    for name, value in model.state_dict().items():
        assert torch.equal(value, state[f"model.{name}"])
    assert config.network.hidden_dims == [8]


@pytest.mark.parametrize(("key", "node"), HOSTILE)
def test_hostile_targets_are_refused(
    key: str, node: dict[str, Any], saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTILE", "os.mkdir")
    checkpoint = torch.load(saved, weights_only=True)
    config = OmegaConf.create(checkpoint["config"])
    OmegaConf.update(config, key, node, merge=False)
    torch.save(checkpoint | {"config": OmegaConf.to_yaml(config)}, saved)
    with pytest.raises(VaeCliError, match="_target_"):
        load_model(saved)
    assert "hacked" not in os.listdir()  # noqa: PTH208


def test_pickled_code_is_not_run(saved: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return os.mkdir, ("hacked",)

    torch.save({"config": Evil(), "state_dict": {}}, saved)
    with pytest.raises(Exception, match="can't be read"):
        load_model(saved)
    assert "hacked" not in os.listdir()  # noqa: PTH208
