"""Images that do not fit in memory train as those that do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from vae_cli.commands.train import main

SETTING = [
    "data=image_folder", "data.root=images", "data.batch_size=16", "trainer.max_epochs=2",
    "network.hidden_dims=[8]", "metric=[log_likelihood]", "metric.log_likelihood.samples=2",
]  # fmt: skip
TREATMENTS = [
    ["data.binarize=dynamic"],
    ["data.binarize=static"],
    ["likelihood=gaussian", "data.dequantize=true"],
]


def outcome(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    checkpoint = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    numbers = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return checkpoint["state_dict"], {k: v for k, v in numbers.items() if k.startswith("test/")}


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_workers_give_the_same_run(
    treatment: list[str], vae_train: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "images").mkdir()
    generator = np.random.default_rng(0)
    for i in range(60):
        pixels = generator.integers(0, 256, (6, 6), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{i:03}.png")
    weights, numbers = outcome(vae_train(*SETTING, *treatment, name="memory"))
    others, other_numbers = outcome(
        vae_train(*SETTING, *treatment, "data.memory_limit=1e-9", name="workers")
    )
    assert all(torch.equal(weights[name], others[name]) for name in weights)
    assert numbers == other_numbers


def test_image_that_a_worker_cannot_read_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    for i in range(60):
        path = tmp_path / "images" / f"{i:03}.png"
        Image.effect_noise((6, 6), 100).save(path)
        path.write_bytes(path.read_bytes()[:-30])  # the size can still be read
    assert main([*SETTING, "data.memory_limit=1e-9", "trainer.progress=false"]) == 2
    message = capsys.readouterr().err
    assert "can't be read as an image (image file is truncated" in message
    assert len(message.splitlines()) == 1
