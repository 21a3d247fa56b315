"""Any data file is either read or refused in one line, and memory is not filled."""

import importlib
import os
import resource
import socket
from pathlib import Path
from typing import Any

import broken_files
import broken_images
import numpy as np
import pytest
import torch

from vae_cli.commands.train import main
from vae_cli.data import binarized_mnist, image_folder, mnist
from vae_cli.errors import InvalidOption, VaeCliError

COUNT = 4 * int(os.environ.get("VAE_CLI_FUZZ", "20"))
BATCH = 40  # files a test
GROWTH = 500  # MiB by which reading a small file may raise the peak of memory


@pytest.fixture(autouse=True)
def _small_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Published sets of few images, which are not fetched."""

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OSError("there is no network in tests")

    monkeypatch.setattr(socket, "create_connection", refuse)
    train, test = broken_images.SIZES
    monkeypatch.setattr(mnist, "SIZES", (train, test))
    monkeypatch.setattr(mnist, "VALIDATION", train // 3)
    monkeypatch.setattr(binarized_mnist, "SIZES", dict.fromkeys(binarized_mnist.SIZES, test))


def peak() -> int:
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


@pytest.mark.parametrize("batch", range(-(-COUNT // BATCH)))
def test_is_read_or_reported(batch: int, tmp_path: Path) -> None:
    importlib.import_module("scipy.io")  # not to be counted
    for number in range(batch * BATCH, min((batch + 1) * BATCH, COUNT)):
        folder = tmp_path / str(number)
        folder.mkdir()
        damage = broken_files.damage(number, folder)
        before, memory = sorted(folder.rglob("*")), peak()
        try:
            check(damage)
        except BaseException as error:
            error.add_note(f"file {number}: {damage}")
            raise
        assert sorted(folder.rglob("*")) == before, (number, damage)
        assert peak() - memory < GROWTH, (number, damage)


def check(damage: broken_images.Damage) -> None:
    load = importlib.import_module(f"vae_cli.data.{damage.data}").load
    try:
        dataset = load(**damage.options)
        parts = (dataset.train, dataset.validation, dataset.test)
        pixels = [part.take(torch.arange(len(part))) for part in parts]
    except VaeCliError as error:
        assert damage.data != "array" or isinstance(error, InvalidOption)
        return
    for part, x in zip(parts, pixels, strict=True):
        assert len(x) and x.shape[1:] == part.shape == dataset.train.shape
        assert x.dtype in (torch.uint8, torch.float32) and x.float().isfinite().all()


def test_command_tells_of_a_bomb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez_compressed("bomb.npz", x=np.zeros((1 << 10, 1 << 7, 1 << 7), np.uint8))
    monkeypatch.setattr("vae_cli.data.numbers.machine_memory", lambda: 1 << 24)
    assert main(["data=array", "data.path=bomb.npz"]) == 2
    told = capsys.readouterr().err
    assert "data.path=bomb.npz" in told and "48 MiB" in told and "16 MiB" in told
    assert len(told.splitlines()) == 1 and [p.name for p in tmp_path.iterdir()] == ["bomb.npz"]


def test_folder_with_an_enormous_image(tmp_path: Path) -> None:
    import random

    for i in range(12):
        (tmp_path / f"{i}.png").write_bytes(broken_images.png_bomb(random.Random(2)))
    with pytest.raises(VaeCliError, match="can't be read as an image"):
        image_folder.load(str(tmp_path))
