"""Sweeps whose driver is killed, and whose folder holds folders where files belong."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vae_cli.commands.train import main
from vae_cli.sweep.folder import ERRORS

QUICK = ["trainer.fast_dev_run=true", "figure=[]", "metric=[]", "logger=none"]
LONG = ["trainer.max_epochs=4000", *QUICK[1:], "trainer.save_every=1"]
CODE = "import sys; from vae_cli.commands.train import main; sys.exit(main())"


def test_the_job_of_a_killed_driver_saves_and_stops(tmp_path: Path) -> None:
    """Its output ends only when the driver and the job have."""
    driver = subprocess.Popen(
        [sys.executable, "-c", CODE, "-m", "seed=0", *LONG, "hydra.sweep.dir=swept"], cwd=tmp_path
    )
    run = tmp_path / "swept" / "run"
    while not (run / "checkpoints" / "previous.ckpt").is_file():
        assert driver.poll() is None
        time.sleep(0.05)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    until = time.monotonic() + 60
    while "stopped and saved" not in (run / ERRORS).read_text(encoding="utf-8"):
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize("name", ["jobs.yaml", "stop", "sweep.csv", "run/job.json"])
def test_a_folder_where_a_file_belongs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = tmp_path / "swept"
    (sweep / name).mkdir(parents=True)
    if name != "jobs.yaml":
        (sweep / "jobs.yaml").write_text("{}\n", encoding="utf-8")
    monkeypatch.setattr("vae_cli.sweep.job.train_command", lambda *_: [sys.executable, "-c", ""])
    monkeypatch.setattr("vae_cli.sweep.job._is_warm", lambda *_: False)
    assert main(["-m", "seed=0", *QUICK, "sweep.resume=swept"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vae-train: ") and "swept" in line
