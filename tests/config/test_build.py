"""What depends on several groups is settled once, and written down."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import DictConfig, OmegaConf, open_dict

from vae_cli.config.build import build
from vae_cli.config.compose import compose
from vae_cli.config.data import keep_some_labels, load_data
from vae_cli.errors import ConfigError

STEPS = 1437 // 64  # an epoch of the digits


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    np.save("binary.npy", generator.random((90, 6, 6)) < 0.5)
    labels = np.tile([0, 1, -1], 30)
    np.savez("labelled.npz", images=generator.random((90, 6, 6)) < 0.5, labels=labels)
    np.save("real.npy", generator.random((90, 6, 6), np.float32))


def built(overrides: Sequence[str]) -> DictConfig:
    return build(compose("train", [*overrides, "data.batch_size=64"])[0]).config


MULTISTEP = [
    "optimizer/lr_schedule=multistep",
    "optimizer.lr_schedule.milestones_epochs=[1,2.5]",
]
SETTLED: list[tuple[list[str], dict[str, Any]]] = [
    ([], {"data.binarize": "dynamic", "derived.shape": [1, 8, 8], "derived.levels": 17}),
    (["likelihood=gaussian"], {"data.binarize": "none"}),
    (["model=ppca"], {"data.binarize": "none", "model.shape": [1, 8, 8]}),
    (["model=factor_analysis", "data.dequantize=true"], {"data.binarize": "none"}),
    (["data.binarize=static"], {"data.binarize": "static"}),
    (["data=array", "data.path=binary.npy"], {"data.binarize": "static", "derived.levels": 2}),
    (
        ["data=array", "data.path=real.npy", "likelihood=gaussian"],
        {"data.binarize": "none", "derived.levels": None, "derived.shape": [1, 6, 6]},
    ),
    (
        [],
        {"derived.classes": 10, "derived.train_images": 1437, "derived.labelled_images": 1437},
    ),
    (["data.labels=30", "data.label_seed=2"], {"derived.labelled_images": 30}),
    (
        ["data=array", "data.path=labelled.npz", "data.labels=30"],
        {"derived.classes": 2, "derived.train_images": 72, "derived.labelled_images": 30},
    ),
    (
        ["data=array", "data.path=binary.npy"],
        {"derived.classes": 0, "derived.train_images": 72, "derived.labelled_images": 0},
    ),
    ([], {"derived.steps_per_epoch": STEPS, "derived.total_steps": 150 * STEPS}),
    (["trainer.max_epochs=3"], {"derived.total_steps": 3 * STEPS, "trainer.max_epochs": 3}),
    (["trainer.max_steps=7", "trainer.max_epochs=1"], {"derived.total_steps": 7}),
    (["trainer.fast_dev_run=true"], {"derived.total_steps": 5}),
    (
        ["kl_schedule=linear", "kl_schedule.warmup_epochs=0.5"],
        {"kl_schedule.warmup_steps": STEPS // 2},
    ),
    (
        ["kl_schedule=rezende", "optimizer/lr_schedule=multistep"],
        {"kl_schedule.warmup_steps": 10_000, "optimizer.lr_schedule.milestones": [10_000, 20_000]},
    ),
    (
        [*MULTISTEP, "optimizer.lr_schedule.milestones=null", "kl_schedule=cyclical"],
        {
            "optimizer.lr_schedule.milestones": [STEPS, 5 * STEPS // 2],
            "kl_schedule.cycle_steps": 10 * STEPS,
        },
    ),
    (
        [
            *MULTISTEP,
            "optimizer.lr_schedule.milestones=[7,9]",
            "kl_schedule=linear",
            "kl_schedule.warmup_steps=9",
        ],
        {"optimizer.lr_schedule.milestones": [7, 9], "kl_schedule.warmup_steps": 9},
    ),
    (
        ["optimizer/lr_schedule=cosine", "trainer.max_steps=7", "kl_schedule=linear"],
        {
            "optimizer.lr_schedule.T_max": 7,
            "kl_schedule.warmup_steps": 10 * STEPS,
            "derived.total_steps": 7,
            "trainer.max_epochs": None,
        },
    ),
]


@pytest.mark.parametrize(("overrides", "values"), SETTLED)
def test_settled(overrides: Sequence[str], values: dict[str, Any]) -> None:
    cfg = built(overrides)
    plain = OmegaConf.to_container(cfg, throw_on_missing=True)
    assert {key: OmegaConf.select(cfg, key) for key in values} == values
    text = OmegaConf.to_yaml(cfg)
    assert "${" not in text and "???" not in text
    assert "_epochs" not in text.replace("max_epochs", "")
    assert OmegaConf.to_container(OmegaConf.create(text)) == plain


def test_labels_are_those_of_their_own_seed() -> None:
    def kept(*overrides: str) -> list[int]:
        experiment = build(compose("train", ["data.labels=30", *overrides])[0])
        again = keep_some_labels(experiment.config, load_data(experiment.config, None).dataset)
        for name, split in experiment.splits.items():
            assert torch.equal(again.parts[name].labels, split.images.labels)
        assert (again.test.labels >= 0).all()
        return again.train.labels.tolist()

    assert kept() == kept("seed=1") == kept("data.label_seed=0") != kept("data.label_seed=1")


def test_data_of_a_yaml_without_the_keys() -> None:
    cfg = compose("train", ["data.labels=20"])[0]
    with open_dict(cfg):
        del cfg.data["label_seed"]
    assert build(cfg.copy()).config.derived.labelled_images == 20
    with open_dict(cfg):
        del cfg.data["labels"]
    assert build(cfg).config.derived.labelled_images == 1437


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["data=array", "data.path=binary.npy"],
            "data=array: the set has no labels, and the model learns from",
        ),
        (
            ["data=array", "data.path=gap.npz"],
            "class 2 of 2 has no labelled training image, and the model learns from labels",
        ),
        (
            ["data.labels=20", "data.batch_size=1"],
            "data.batch_size=1: needs at least 2 for each process: .* Try data.batch_size=2",
        ),
        (
            ["data.labels=20", "data.batch_size=2", "accelerator=ddp_cpu"],
            "data.batch_size=2: needs at least 2 for each process: .* Try data.batch_size=4",
        ),
    ],
)
def test_model_that_learns_from_labels(overrides: Sequence[str], message: str) -> None:
    x = np.zeros((90, 6, 6), bool)
    labels = {"y_train": np.tile([0, -1], 45), "y_test": np.tile([0, 2], 45)}
    np.savez("gap.npz", x_train=x, x_test=x, **labels)
    with pytest.raises(ConfigError, match=message):
        build(compose("train", ["model=m2", "data.batch_size=64", *overrides])[0])
    assert build(compose("train", ["model=m2", "data.labels=20", "data.batch_size=2"])[0])
    assert build(compose("train", ["model=m2", "data.batch_size=1"])[0])  # all have a label


def test_weights_are_a_function_of_the_seed() -> None:
    def weights(seed: int) -> list[float]:
        cfg = compose("train", [f"seed={seed}"])[0]
        return next(build(cfg).model.parameters()).flatten().tolist()

    assert weights(3) == weights(3) != weights(4)
