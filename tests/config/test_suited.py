"""What the data decide where the user leaves it to them, and what is hardly meant."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from vae_cli.config.build import build
from vae_cli.config.compose import compose
from vae_cli.config.suited import suited_batch, suited_epochs, suited_steps
from vae_cli.data.dataset import Dataset, StoredImages
from vae_cli.data.kind import kind_of
from vae_cli.training.experiment import Experiment

GENERATOR = np.random.default_rng(0)
NOISE = GENERATOR.integers(0, 256, (100, 3, 4, 4), np.uint8)
INK = (255 * GENERATOR.beta(0.1, 0.3, (100, 1, 4, 4))).astype(np.uint8)
KINDS: dict[str, tuple[np.ndarray, int | None, str]] = {
    "0 and 1 as bytes": (NOISE[:, :1] > 99, 2, "binary"),
    "0 and 1 as floats": (1.0 * (NOISE[:, :1] > 99), None, "binary"),
    "0 and 1 in channels": (1.0 * (NOISE > 99), None, "binary"),
    "ink as bytes": (INK, 256, "grey"),
    "ink as floats": (INK / 255, None, "grey"),
    "photographs as bytes": (NOISE[:, :1], 256, "shaded"),
    "photographs as floats": (NOISE[:, :1] / 255, None, "shaded"),
    "colour as bytes": (NOISE, 256, "colour"),
    "colour as floats": (NOISE / 255, None, "colour"),
    "one value too large": (np.where(np.arange(1600).reshape(INK.shape), 0.5, 1.5), None, "real"),
    "negative values": (NOISE - 99.0, None, "real"),
    "all the same": (np.full((100, 1, 2, 2), 7), 256, "shaded"),
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, (values, levels, _) in KINDS.items():
        np.save(f"{name}.npy", values if levels is None else values.astype(np.uint8))


def made(name: str, *overrides: str) -> Experiment:
    data = ["data=array", f"data.path='{name}.npy'"] if name else []
    return build(compose("train", [*data, *overrides])[0])


@pytest.mark.parametrize("name", KINDS)
def test_kinds(name: str) -> None:
    values, levels, expected = KINDS[name]
    pixels = torch.from_numpy(values).float() if levels is None else torch.from_numpy(values).byte()
    images = StoredImages(pixels)
    kind = kind_of(Dataset(images, images.subset(torch.arange(0)), images, levels))
    assert kind.word == expected
    assert kind.deviation == pytest.approx(values.std() / ((levels or 2) - 1), rel=1e-4)


GAUSSIAN = {"scale": "shared", "min_scale": 0.01}
CHOSEN: list[tuple[str, list[str], dict[str, Any]]] = [
    ("ink as bytes", [], {"likelihood": {}, "data.binarize": "dynamic"}),
    ("0 and 1 as bytes", [], {"likelihood": {}, "data.binarize": "static"}),
    ("colour as bytes", [], {"likelihood": GAUSSIAN | {"mean": "sigmoid"}}),
    ("photographs as floats", [], {"likelihood": GAUSSIAN | {"mean": "sigmoid"}}),
    ("negative values", [], {"likelihood": GAUSSIAN | {"mean": "identity"}}),
    ("ink as bytes", [], {"data.batch_size": 8, "trainer.max_epochs": 200}),
    ("colour as bytes", ["likelihood=bernoulli"], {"likelihood": {}, "data.binarize": "dynamic"}),
    (
        "ink as bytes",
        ["data.batch_size=40", "trainer.max_epochs=3"],
        {"data.batch_size": 40, "trainer.max_epochs": 3, "derived.total_steps": 6},
    ),
    ("ink as bytes", ["trainer.max_steps=9"], {"trainer.max_epochs": None, "data.batch_size": 8}),
    ("", ["likelihood=auto", "data.batch_size=auto"], {"likelihood": {}, "data.batch_size": 128}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "overrides", "expected"), CHOSEN)
def test_choices(name: str, overrides: Sequence[str], expected: dict[str, Any]) -> None:
    config = made(name, *overrides).config
    found = {key: OmegaConf.select(config, key) for key in expected}
    if "likelihood" in found:
        chosen = OmegaConf.to_container(found["likelihood"])
        found["likelihood"] = {k: v for k, v in chosen.items() if not k.startswith("_")}
        assert config.model.likelihood == config.likelihood
    assert found == expected
    assert "auto" not in OmegaConf.to_yaml(OmegaConf.masked_copy(config, ["data", "likelihood"]))


@pytest.mark.parametrize("processes", [1, 3])
@pytest.mark.parametrize("values", [64, 784, 3 * 64 * 64, 3 * 512 * 512])
@pytest.mark.parametrize("count", [1, 5, 30, 160, 1500, 50_000])
def test_sizes_suit(count: int, values: int, processes: int) -> None:
    batch = suited_batch(count, values, processes)
    assert batch % processes == 0
    assert batch <= max(count, processes) and batch <= 128
    assert count // batch >= 10 or batch <= max(8, processes)
    steps = suited_epochs(count, values, batch) * max(count // batch, 1)
    assert 500 <= suited_steps(values, batch) <= steps
    assert steps >= 2000 or batch * values > 2**18


DOUBTS: list[tuple[str, str, str]] = [  # data, overrides, and how the warning begins
    ("", "", ""),
    ("ink as bytes", "", ""),
    ("colour as bytes", "", ""),
    ("negative values", "", ""),
    ("colour as bytes", "likelihood=bernoulli", "data.binarize=dynamic: the images have colours"),
    ("photographs as bytes", "likelihood=bernoulli data.binarize=static", "data.binarize=static"),
    ("colour as bytes", "likelihood=gaussian data.binarize=threshold", "data.binarize=threshold"),
    ("0 and 1 as bytes", "likelihood=gaussian", "likelihood=gaussian: the images have only"),
    ("colour as bytes", "likelihood=gaussian likelihood.scale=1", "likelihood.scale=1: the values"),
    ("colour as bytes", "likelihood=gaussian likelihood.scale=0.1", ""),
    ("colour as bytes", "model=autoencoder likelihood=gaussian likelihood.scale=1", ""),
    ("negative values", "likelihood=gaussian likelihood.mean=sigmoid", "likelihood.mean=sigmoid"),
    ("ink as bytes", "trainer.max_epochs=49", "trainer.max_epochs=49: makes 490 training steps"),
    ("", "trainer.max_steps=9", "trainer.max_steps=9: makes 9 training steps"),
    ("", "trainer.max_steps=9 trainer.fast_dev_run=true", ""),
]


@pytest.mark.parametrize(("name", "overrides", "expected"), DOUBTS)
def test_doubts(name: str, overrides: str, expected: str) -> None:
    found = made(name, *overrides.split()).doubts
    assert len(found) == bool(expected)
    assert all(doubt.startswith(expected) and "Try " in doubt for doubt in found)


def test_three_lines() -> None:
    assert made("").inferred == {}
    assert made("colour as floats", "data.scale=0.5", "trainer.max_steps=9").inferred == {
        "data": "100 images of real values, 4 x 4 x 3, values 0 to 2 (real numbers), "
        "divided by 0.5",
        "split": "80 training, 10 validation, 10 test; split by data.seed=0; binarize=none",
        "model": "likelihood=gaussian (scale=shared), batch 8, 9 steps",
    }
    lines = made("ink as bytes").inferred
    assert lines["data"] == "100 grey images, 4 x 4 x 1, values 0 to 254 (whole numbers)"
    assert lines["model"] == "likelihood=bernoulli, batch 8, 200 epochs = 2000 steps"
