import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

os.environ["OMP_NUM_THREADS"] = "1"  # before torch: threads of several runs get in each other's way
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from vae_cli.commands.train import main
from vae_cli.config import composition
from vae_cli.launch.launch import SHARED_FOLDER

torch.set_num_threads(1)
QUICK = ["trainer.progress=false", "logger=none", "metric=[]", "figure=[]"]


@pytest.fixture(scope="session", autouse=True)
def _options_are_composed_once() -> Iterator[None]:
    """A message about a mistake is made from the options alone, which mostly are the same."""
    known = dict[str, bytes]()

    def composed(config_name: str, overrides: Sequence[str]) -> DictConfig:
        if any(composition.SEARCH_PATH in text for text in overrides):  # files that may change
            return original(config_name, overrides)
        key = repr((config_name, overrides))
        if key not in known:
            known[key] = pickle.dumps(original(config_name, overrides))
        full: DictConfig = pickle.loads(known[key])
        HydraConfig.instance().set_config(full)
        return full

    original = composition.composed
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composition, "composed", composed)
        yield


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
        os.environ.pop(SHARED_FOLDER, None)  # each call stands for a process
        resumed = any(text.startswith("resume=") for text in overrides)
        named = [] if resumed else [*QUICK, f"hydra.run.dir={tmp_path / name}"]
        assert main([*named, *overrides]) == 0
        os.environ.pop(SHARED_FOLDER, None)
        return tmp_path / name

    return run
