"""Presets of papers, held against what the papers say."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vae_cli.config.build import build
from vae_cli.config.compose import compose
from vae_cli.training.experiment import Experiment


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def burda(train: int) -> Experiment:
    """The preset on so many training images, of one pixel each."""
    few = np.zeros((20, 1, 1), np.uint8)
    np.savez("images.npz", train=np.zeros((train, 1, 1), np.uint8), validation=few, test=few)
    mine = ["data=array", "data.path=images.npz", "data.binarize=dynamic"]
    return build(compose("train", ["experiment=burda2015_vae", *mine])[0])


def test_burda_learning_rate_by_epoch() -> None:
    experiment = burda(train=40)
    steps = experiment.config.derived.steps_per_epoch
    assert steps == 2
    optimizer = experiment.make_optimizer([torch.nn.Parameter(torch.zeros(1))])
    assert experiment.make_lr_schedule is not None
    schedule = experiment.make_lr_schedule(optimizer)
    rates = []
    for _ in range(experiment.config.derived.total_steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    # 3^i epochs at 1e-3 * 10^(-i / 7), one after the other
    expected = [1e-3 * 10 ** (-i / 7) for i in range(8) for _ in range(3**i * steps)]
    assert rates == pytest.approx(expected, rel=1e-9)


def test_burda_milestones_at_the_size_of_mnist() -> None:
    config = burda(train=50_000).config
    assert config.derived.total_steps == 3280 * 2500
    epochs = [sum(3**i for i in range(n)) for n in range(1, 8)]
    assert config.optimizer.lr_schedule.milestones == [2500 * n for n in epochs]
