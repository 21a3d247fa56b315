"""Sweeps whose driver is killed, and whose folder holds folders where files belong."""

import importlib.util
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


LAUNCHERS = [
    [],
    pytest.param(
        ["launcher=joblib"],
        marks=pytest.mark.skipif(
            importlib.util.find_spec("hydra_plugins.hydra_joblib_launcher") is None,
            reason="needs the extra joblib",
        ),
    ),
]


def processes_of(parent: int) -> list[int]:
    """What a process has started, and what that has started."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True).stdout
    pairs = [[int(word) for word in line.split()] for line in listed.splitlines()]
    found = [parent]
    for process in found:
        found += [child for child, of in pairs if of == process]
    return found[1:]


def is_running(process: int) -> bool:
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True)
    return found.stdout.strip()[:1] not in (b"", b"Z")


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_the_jobs_of_a_killed_driver_save_and_stop(launcher: list[str], tmp_path: Path) -> None:
    """Nothing that it has started is left, and no other job is begun."""
    sweep = ["-m", "seed=0,1,2,3", *launcher, *LONG, "hydra.sweep.dir=swept"]
    driver = subprocess.Popen([sys.executable, "-c", CODE, *sweep], cwd=tmp_path)
    run = tmp_path / "swept" / "seed-0"
    while not (run / "checkpoints" / "previous.ckpt").is_file():
        assert driver.poll() is None
        time.sleep(0.05)
    started = processes_of(driver.pid)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    until = time.monotonic() + 120
    while left := [process for process in started if is_running(process)]:
        assert time.monotonic() < until, left
        time.sleep(0.1)
    assert "stopped and saved" in (run / ERRORS).read_text(encoding="utf-8")
    assert not (tmp_path / "swept" / "seed-3").exists()


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
