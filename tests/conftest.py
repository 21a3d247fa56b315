import os
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ["OMP_NUM_THREADS"] = "1"  # before torch: threads of several runs get in each other's way
import torch

from vae_cli.commands.train import main
from vae_cli.launch.launch import SHARED_FOLDER

torch.set_num_threads(1)
QUICK = ["trainer.progress=false", "logger=none", "metric=[]", "figure=[]"]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the real MNIST, Fashion-MNIST and static binarised MNIST; not to write in."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("VAE_CLI_DATA") or beside)
    if not (folder / "MNIST").is_dir():
        pytest.skip(f"no real datasets in {folder}; say where they are with VAE_CLI_DATA")
    return folder


@pytest.fixture
def vae_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """``vae-train`` in this process: a quick run, whose folder it returns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAE_CLI_CONF", "")

    def run(*overrides: str, name: str = "run") -> Path:
        os.environ.pop(SHARED_FOLDER, None)  # each call is a process of its own, so to speak
        resumed = any(text.startswith("resume=") for text in overrides)
        named = [] if resumed else [*QUICK, f"hydra.run.dir={tmp_path / name}"]
        assert main([*named, *overrides]) == 0
        os.environ.pop(SHARED_FOLDER, None)
        return tmp_path / name

    return run
