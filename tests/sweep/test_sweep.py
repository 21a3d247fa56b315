"""Sweeps of real jobs: what fails, what is stopped, and what is run again."""

import csv
import io
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from vae_cli.commands.train import main
from vae_cli.sweep.folder import SweepFolder

QUICK = ["trainer.fast_dev_run=true", "figure=[]", "metric=[]", "logger=none"]
BROKEN = '''
import os
import sys
from vae_cli.objective.elbo import Elbo


class Broken(Elbo):
    """Fails in the run with the seed 2, until it is repaired."""

    def forward(self, model, batch, weight):
        if "seed=2" in sys.argv and "REPAIRED" not in os.environ:
            raise RuntimeError("broken on purpose")
        return super().forward(model, batch, weight)


class Lame(Elbo):
    """Fails in the second of several processes."""

    def forward(self, model, batch, weight):
        if os.environ.get("LOCAL_RANK") == "1":
            raise RuntimeError("lame on purpose")
        return super().forward(model, batch, weight)
'''
DONE, FAILED = ("seed-0", "seed-1"), "seed-2"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an objective of the user's own, and a sweep in which it fails."""
    work = tmp_path_factory.mktemp("work")
    (work / "conf" / "objective").mkdir(parents=True)
    for name in ("Broken", "Lame"):
        file = work / "conf" / "objective" / f"{name.lower()}.yaml"
        file.write_text(f"_target_: broken.{name}\n")
    (work / "broken.py").write_text(BROKEN)
    return work


@pytest.fixture(autouse=True)
def _there(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(work)
    monkeypatch.setenv("PYTHONPATH", str(work))
    monkeypatch.syspath_prepend(work)
    monkeypatch.delenv("REPAIRED", raising=False)


def table() -> list[dict[str, str]]:
    text = Path("sweep/sweep.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


GRID = ["-m", "objective=broken", "seed=0,1,2", *QUICK]


def test_failed_jobs_leave_their_traceback_and_the_rest_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*GRID, "hydra.sweep.dir=sweep"]) == 1
    said = capsys.readouterr().out
    failed = Path("sweep") / FAILED
    error = (failed / "error.txt").read_text(encoding="utf-8")
    assert "Traceback" in error and error.strip().endswith("broken on purpose")
    assert not (failed / "results.json").exists()
    assert f"{FAILED}  RuntimeError: broken on purpose" in said
    assert all((Path("sweep") / run / "results.json").is_file() for run in DONE)
    assert "broken on purpose" in Path("sweep/sweep.md").read_text(encoding="utf-8")


def test_table_is_of_means_over_seeds() -> None:
    rows = table()
    (row,) = [row for row in rows if row["runs"]]
    assert row["runs"] == "2"
    files = [Path("sweep") / run / "results.json" for run in DONE]
    results = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    for head, key in (("validation ELBO", "validation/elbo"), ("ELBO", "test/elbo")):
        values = [each[key] for each in results]
        assert float(row[head]) == pytest.approx(np.mean(values), abs=1e-6)
        error = np.std(values, ddof=1) / math.sqrt(2)
        assert float(row[f"{head} error"]) == pytest.approx(error, abs=1e-6)
    assert [row["run"] for row in rows if row["why"]] == [FAILED]


def test_only_what_failed_is_run_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REPAIRED", "1")
    done = Path("sweep") / DONE[0] / "results.json"
    before = done.stat().st_mtime_ns
    assert main([*GRID, "sweep.resume=sweep", "trust=true"]) == 0
    assert done.stat().st_mtime_ns == before
    said = capsys.readouterr().out
    assert "2 of 3 jobs had finished before" in said
    assert said.count("  done  ") == 1 and "on purpose" not in said  # that was the last time
    repaired = Path("sweep") / FAILED
    assert (repaired / "results.json").is_file() and not (repaired / "error.txt").exists()
    assert [row["runs"] for row in table()] == ["3"]


def test_a_process_of_a_job_that_fails() -> None:
    arguments = ["-m", "objective=lame", "accelerator=ddp_cpu", *QUICK]
    assert main([*arguments, "hydra.sweep.dir=several"]) == 1
    assert not Path("several/run/results.json").exists()
    assert "lame on purpose" in Path("several/run/error.txt").read_text(encoding="utf-8")
    assert OmegaConf.load("several/run/config.yaml").accelerator.devices == 2
    left = [p.name for p in Path("several").iterdir()]
    assert sorted(left) == ["jobs.yaml", "lock", "run", "sweep.csv", "sweep.md"]


REFUSED = [
    (["sweep.resume=nowhere"], "sweep.resume=nowhere: there is no such folder"),
    (["sweep.resume=conf"], "sweep.resume=conf: is not of a sweep"),
    (["sweep.resume=sweep", "latent_dim=3"], "Resume with the same command"),
    (["hydra.sweep.dir=sweep"], "Try sweep.resume=sweep"),
    (["resume=sweep"], "a sweep has sweep.resume"),
    (["sweep=nope"], "there is no such option"),
    (["sweep.nope=3"], "there is no such key"),
    (["optimizer.lr=interval(1e-3,1e-2)"], "List values"),
    (["launcher=nope"], "there is no such option"),
    (["launcher=joblib,ray"], "launcher=joblib,ray: takes one value"),
    (["sweep=seeds,beta"], "sweep=seeds,beta: takes one value"),
    (["posterior=glob(*)"], "posterior=glob(*): patterns are not supported"),
]


@pytest.mark.parametrize(("arguments", "told"), REFUSED)
def test_mistakes_are_reported_before_anything_runs(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(
        (p, p.stat().st_mtime_ns) for p in Path().rglob("*") if p.is_file() and p.name != "lock"
    )
    assert main([*GRID, *arguments]) == 2
    message = capsys.readouterr().err
    lines = [line for line in message.splitlines() if not line.startswith("note: read ")]
    assert told in message and len(lines) == 1
    after = sorted(
        (p, p.stat().st_mtime_ns) for p in Path().rglob("*") if p.is_file() and p.name != "lock"
    )
    assert before == after


def test_sweep_keys_without_several_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep=seeds"]) == 2
    assert "vae-train -m" in capsys.readouterr().err


def test_stopped_in_the_middle_of_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first signal saves; the same command resumes from the checkpoint."""
    arguments = [
        "-m", "seed=0,1", "trainer.max_epochs=2", "trainer.save_every=20", "figure=[]", "metric=[]",
        "logger=none", "data.batch_size=10",
    ]  # fmt: skip
    code = "import sys; from vae_cli.commands.train import main; sys.exit(main())"
    command = [sys.executable, "-c", code, *arguments]
    process = subprocess.Popen(
        [*command, "hydra.sweep.dir=swept"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    first, second = tmp_path / "swept" / "seed-0", tmp_path / "swept" / "seed-1"
    while not (first / "checkpoints" / "previous.ckpt").is_file():
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    assert "sweep.resume=swept" in process.communicate(timeout=60)[1]
    assert process.returncode == 75
    assert not (first / "results.json").exists()
    assert not (second / "output.txt").exists()  # not begun
    assert SweepFolder(tmp_path / "swept").why("seed-0").startswith("was stopped")

    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "sweep.resume=swept"]) == 0
    for run in (first, second):
        results = json.loads((run / "results.json").read_text(encoding="utf-8"))
        assert results["train/steps"] == 2 * 143
    lines = (first / "command.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2  # it went on
