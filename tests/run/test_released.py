"""Runs of the versions that were released: ``released/VERSION`` holds one of each.

    vae-train hydra.run.dir=VERSION network.hidden_dims=[4] posterior=planar \
        posterior.flow_length=2 latent_dim=2 trainer.max_epochs=2 data.batch_size=100 \
        logger=none figure=[] metric=[active_units]
"""

import json
import shutil
from pathlib import Path

import pytest
import torch

from vae_cli.commands.eval import main as vae_eval
from vae_cli.commands.train import main as vae_train
from vae_cli.run.folder import RunFolder
from vae_cli.training.checkpoint_file import read_checkpoint

RELEASED = sorted(path for path in (Path(__file__).parent / "released").iterdir())


@pytest.fixture(params=RELEASED, ids=lambda path: path.name)
def run(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(request.param, tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "run"


def test_is_measured_as_it_was(run: Path) -> None:
    metrics = "metric=[importance_sampling]"
    assert vae_eval([f"run={run}", metrics, "analysis=[]", "samples=100", "device=cpu"]) == 0
    found = json.loads((run / "evaluation.json").read_text())["test"]
    then = json.loads((run / "results.json").read_text())
    # Of other draws of z: a posterior's are nearly all alike after two epochs.
    assert found["elbo"] == pytest.approx(then["test/elbo"], abs=0.1)


def test_resumes(run: Path) -> None:
    assert vae_train([f"resume={run}", "trainer.max_epochs=3"]) == 0
    assert read_checkpoint(run / "checkpoints" / "last.ckpt")["global_step"] == 42


def test_of_a_version_whose_parts_are_gone(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = RunFolder(run)
    folder.overrides.write_text(folder.overrides.read_text() + "- posterior=forgotten\n")
    environment = (run / "environment.txt").read_text()
    lines = [x for x in environment.splitlines() if not x.startswith("vae-cli")]
    (run / "environment.txt").write_text("\n".join([*lines, "vae-cli 0.0.9", ""]))
    assert vae_train([f"resume={run}", "trainer.max_epochs=3"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "is of vae-cli 0.0.9" in line and "pip install vae-cli==0.0.9" in line


@pytest.mark.parametrize(
    ("target", "version", "expected"),
    [
        ("os.system", "0.0.9", "trust=true"),  # no version has it
        ("vae_cli.posterior.gone.Gone", "0.0.9", "pip install vae-cli==0.0.9"),
        ("vae_cli.posterior.gone.Gone", "1; rm -rf ~", "trust=true"),  # is not put into a command
    ],
)
def test_advice_about_a_version_is_no_stranger_s_text(
    target: str, version: str, expected: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = run / "checkpoints" / "best.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["config"] = checkpoint["config"].replace(
        "vae_cli.posterior.planar.PlanarPosterior", target
    )
    torch.save(checkpoint, path)
    (run / "environment.txt").write_text(f"vae-cli {version}\n")
    assert vae_eval([f"run={run}", "device=cpu"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line
    assert "rm -rf" not in line
