"""Real jobs by each launcher, and what each job is given of the machine."""

import importlib.util
import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from omegaconf import DictConfig

from vae_cli.commands.train import main
from vae_cli.config.composition import NotComposable, composed
from vae_cli.sweep.job import visible_gpus

PLUGINS = {"joblib": "joblib", "submitit_local": "submitit", "ray": "ray"}
LAUNCHERS = [
    pytest.param(
        launcher,
        marks=pytest.mark.skipif(
            importlib.util.find_spec(extra) is None
            or importlib.util.find_spec(f"hydra_plugins.hydra_{extra}_launcher") is None,
            reason=f"needs the extra {extra}",
        ),
    )
    for launcher, extra in PLUGINS.items()
]
SEEN = '''
import json, os
from pathlib import Path
from vae_cli.objective.elbo import Elbo


class Seen(Elbo):
    """Leaves behind what its process was given."""

    def __init__(self, number):
        super().__init__()
        names = ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")
        seen = {name: os.environ.get(name) for name in names}
        Path(f"seen-{number}.json").write_text(json.dumps(seen))
'''
QUICK = ["trainer.fast_dev_run=true", "figure=[]", "metric=[]", "logger=none"]


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_jobs_run(launcher: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    Path("conf/objective").mkdir(parents=True)
    Path("conf/objective/seen.yaml").write_text("_target_: seen.Seen\nnumber: 0\n")
    Path("seen.py").write_text(SEEN)
    arguments = ["-m", f"launcher={launcher}", "objective=seen"]
    is_parallel = launcher == "joblib"  # which gives each of its jobs a share of the machine
    numbers = range(2 if is_parallel else 1)
    arguments.append(f"objective.number={','.join(map(str, numbers))}")
    arguments += ["hydra.launcher.n_jobs=2"] if is_parallel else []
    assert main([*arguments, *QUICK, "hydra.sweep.dir=sweep"]) == 0
    for number in numbers:
        job = Path("sweep") / (f"objective.number-{number}" if is_parallel else "run")
        assert (job / "results.json").is_file(), (job / "error.txt").read_text(encoding="utf-8")
    seen = [json.loads(Path(f"seen-{n}.json").read_text(encoding="utf-8")) for n in numbers]
    if is_parallel:
        assert [each["CUDA_VISIBLE_DEVICES"] for each in seen] == ["3", "5"]
        threads = max(1, (os.cpu_count() or 1) // 2)
        assert {each["OMP_NUM_THREADS"] for each in seen} == {str(threads)}


def test_gpus_are_listed_without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'GPU 0: one (UUID: GPU-a)'\necho 'GPU 1: other'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible_gpus() == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    assert visible_gpus() == ["7"]


@pytest.mark.parametrize("launcher", ["joblib", "submitit_slurm", "ray"])
def test_missing_extra_is_reported(
    launcher: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def without_plugin(config_name: str, overrides: Sequence[str]) -> DictConfig:
        if any(text.startswith("launcher=") for text in overrides):
            raise NotComposable("Could not override 'hydra/launcher'")
        return composed(config_name, overrides)

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for module in ("compose", "composition"):
        monkeypatch.setattr(f"vae_cli.config.{module}.composed", without_plugin)
    assert main(["-m", f"launcher={launcher}", "seed=0,1"]) == 2
    extra = launcher.partition("_")[0]
    assert f"launcher={launcher}: needs packages of the extra {extra}" in capsys.readouterr().err
