"""Going on with somebody else's run never does what its files say beyond training."""

import os
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from omegaconf import OmegaConf
from torchvision import datasets

from vae_cli.commands.eval import main as vae_eval
from vae_cli.commands.train import main
from vae_cli.launch.launch import SHARED_FOLDER
from vae_cli.run.folder import RunFolder

BRIEF = ["trainer.max_steps=2", "network.hidden_dims=[8]", "trainer.progress=false",
         "logger=none", "metric=[]", "figure=[]"]  # fmt: skip
HOSTILE = [
    "optimizer._target_=os.mkdir",
    "likelihood._target_=subprocess.run",
    "network._target_=vae_cli.run.environment.subprocess.run",
    "posterior._target_=torch.hub.load",
    "objective._target_=vae_cli.commands.train.main",
    "optimizer._target_=torch.optim.swa_utils.pickle.loads",
    "logger._target_=pytorch_lightning.loggers.csv_logs.os.mkdir",
    "+metric.more._target_=os.mkdir",
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("trained") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(SHARED_FOLDER, raising=False)
        assert main([*BRIEF, f"hydra.run.dir={run}"]) == 0
        patch.delenv(SHARED_FOLDER, raising=False)
    return run


@pytest.fixture
def run(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a run in the current folder, which is else empty."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAE_CLI_CONF", "")
    monkeypatch.delenv(SHARED_FOLDER, raising=False)
    return Path(shutil.copytree(trained, tmp_path / "run"))


def tamper(run: Path, *overrides: str) -> None:
    saved = yaml.safe_load(RunFolder(run).overrides.read_text())
    RunFolder(run).overrides.write_text(yaml.safe_dump([*saved, *overrides]))
    RunFolder(run).composed.unlink()  # which would bring the harmless values back


@pytest.mark.parametrize(
    ("override", "also"), [*((text, []) for text in HOSTILE), (HOSTILE[0], ["trust=true"])]
)
def test_hostile_targets_are_refused(
    override: str, also: list[str], run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tamper(run, override, *also)
    before = sorted(run.rglob("*"))
    assert main([f"resume={run}", "trainer.max_steps=4"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert any(word in line for word in ("_target_", "there is no such", "is required"))
    assert sorted(run.rglob("*")) == before and os.listdir() == ["run"]  # noqa: PTH208


def test_hostile_record_of_the_defaults(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    composed = RunFolder(run).composed
    then = yaml.safe_load(composed.read_text())
    then["network"]["_target_"] = "os.mkdir"
    composed.write_text(yaml.safe_dump(then))
    assert main([f"resume={run}", "trainer.max_steps=4"]) == 2
    assert "_target_=os.mkdir" in capsys.readouterr().err


def test_trusted_runs_resume(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine.py").write_text("from vae_cli.network.mlp import MLP as Mine\n")
    monkeypatch.syspath_prepend(Path.cwd())
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    tamper(run, "network._target_=mine.Mine")
    assert main([f"resume={run}", "trainer.max_steps=4"]) == 2
    assert "trust=true" in capsys.readouterr().err
    assert main([f"resume={run}", "trainer.max_steps=4", "trust=true"]) == 0


def test_curves_stay_in_the_folder(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tamper(run, "logger=csv", "logger.version=../../outside")
    assert main([f"resume={run}", "trainer.max_steps=4"]) == 2
    assert "leads out of the run" in capsys.readouterr().err
    assert os.listdir() == ["run"]  # noqa: PTH208


def test_hostile_pickle_in_place_of_a_checkpoint(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Evil:
        def __reduce__(self) -> object:
            return os.mkdir, ("hacked",)

    folder = RunFolder(run)
    for path in (folder.last, folder.previous):
        torch.save({"global_step": Evil()}, path)
    assert main([f"resume={run}", "trainer.max_steps=4"]) == 2
    assert "its checkpoints are damaged" in capsys.readouterr().err
    assert os.listdir() == ["run"]  # noqa: PTH208


def test_nothing_is_fetched_into_a_folder_that_the_run_names(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fetched: list[object] = []
    monkeypatch.setattr(datasets.MNIST, "download", lambda self: fetched.append(self))
    tamper(run, "data=mnist", "data.root=theirs")
    assert main([f"resume={run}", "trainer.max_steps=4"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "data.root=theirs" in line and "have moved since the run" in line
    assert not fetched and os.listdir() == ["run"]  # noqa: PTH208
    checkpoint = torch.load(RunFolder(run).best, weights_only=True)
    config = OmegaConf.create(checkpoint["config"])
    config.data = {"_target_": "vae_cli.data.mnist.load", "name": "MNIST", "root": "theirs",
                   "batch_size": 9, "binarize": "dynamic", "dequantize": False}  # fmt: skip
    torch.save(checkpoint | {"config": OmegaConf.to_yaml(config)}, RunFolder(run).best)
    assert vae_eval([f"run={run}", "samples=2", "analysis=[]"]) == 2
    assert "data.root=theirs" in capsys.readouterr().err
    assert not fetched and os.listdir() == ["run"]  # noqa: PTH208
