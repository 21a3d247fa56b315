import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# The process that only shares the tests out imports this file, too: nothing heavy is imported here.
from vae_cli.commands.train import main
from vae_cli.launch.launch import SHARED_FOLDER

os.environ["OMP_NUM_THREADS"] = "1"  # before torch: threads of several runs get in each other's way
QUICK = ["trainer.progress=false", "logger=none", "metric=[]", "figure=[]"]


@pytest.fixture(scope="session", autouse=True)
def _composition_is_remembered() -> Iterator[None]:
    from remembered import remembered_composition

    with remembered_composition():
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
    """``vae-train`` in this process: a quick run, whose folder it returns.

    Of several values for a key it gets the last one.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAE_CLI_CONF", "")

    def run(*overrides: str, name: str = "run") -> Path:
        os.environ.pop(SHARED_FOLDER, None)  # each call stands for a process
        resumed = any(text.startswith("resume=") for text in overrides)
        named = [] if resumed else [*QUICK, f"hydra.run.dir={tmp_path / name}"]
        last = {text.partition("=")[0]: text for text in (*named, *overrides)}
        assert main([*last.values()]) == 0
        os.environ.pop(SHARED_FOLDER, None)
        return tmp_path / name

    return run
