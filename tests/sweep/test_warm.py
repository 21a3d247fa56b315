"""Forked jobs: they are what new processes are, and the server that forks them can be killed."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vae_cli.commands.train import main
from vae_cli.sweep import job, warm
from vae_cli.sweep.warm import Task, close_server, run_warm

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="jobs are forked on Linux alone")
CODE = """
import json, os, random, signal, sys, time
import numpy

def exit():
    sys.exit(int(sys.argv[2]))

def fail():
    raise EOFError("on purpose")

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

def see():
    files = list(os.scandir("/proc/self/fd"))
    server = f"/proc/{os.getppid()}"
    torch = sys.modules.get("torch")
    json.dump({
        "threads": len(os.listdir(server + "/task")), "own": len(os.listdir("/proc/self/task")),
        "cuda": torch.cuda.is_initialized() or torch.cuda._is_in_bad_fork(),
        "torch": torch.get_num_threads(), "model": "vae_cli.model.vae" in sys.modules,
        "files": [os.readlink(file) for file in files if os.path.lexists(file)],
        "cwd": os.getcwd(), "session": os.getsid(0) == os.getpid(), "argv": sys.argv[1:],
        "environment": dict(os.environ), "parent": os.getppid(), "name": __name__,
        "draws": [numpy.random.rand(), random.random(), torch.initial_seed()],
    }, sys.stdout)

def stop():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    while True:
        signal.pause()

def orphan():
    open("begun", "w").close()
    while os.getppid() == int(os.environ["VAE_CLI_PARENT"]):
        time.sleep(0.01)

globals()[sys.argv[1]]()
"""
QUICK = ["figure=[]", "logger=none", "trainer.progress=false", "data.batch_size=20"]
COMMAND = "import sys; from vae_cli.commands.train import main; sys.exit(main())"
TIMES = "second"  # in the names of numbers that differ between equal runs
Run = Callable[..., int | None]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a module, which jobs run; one server serves them."""
    place = tmp_path_factory.mktemp("place")
    (place / "module.py").write_text(CODE)
    yield place
    close_server()


@pytest.fixture
def run(place: Path) -> Run:
    """Runs a function of the module as a job; its output and errors are in files."""

    def run(
        *words: str, is_stopped: Callable[[], bool] = lambda: False, **variables: str
    ) -> int | None:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([*sys.path, str(place)]),
        }
        environment |= {"OMP_NUM_THREADS": "1"} | variables
        task = Task("module", words, environment, str(place))
        with (place / "output").open("w") as output, (place / "errors").open("w") as errors:
            return run_warm(task, output, errors, is_stopped)

    return run


def server() -> int:
    assert warm._server is not None
    return warm._server._process.pid


def test_exit_codes(run: Run, place: Path) -> None:
    assert [run("exit", code) for code in ("0", "2", "75")] == [0, 2, 75]
    assert run("fail") == 1
    error = (place / "errors").read_text()
    assert error.startswith("Traceback") and error.endswith("EOFError: on purpose\n")
    first = server()
    assert run("kill") == -signal.SIGKILL
    assert run("exit", "0") == 0 and server() == first
    children = Path(f"/proc/{first}/task/{first}/children")
    assert children.read_text() == ""  # no zombies


def seen(run: Run, place: Path, *words: str, **variables: str) -> Any:
    assert run("see", *words, **variables) == 0, (place / "errors").read_text()
    return json.loads((place / "output").read_text())


def test_a_job_is_like_a_new_process(run: Run, place: Path) -> None:
    with (place / "of the driver").open("w"):
        found = seen(run, place, "a b", "é")
    assert found["threads"] == found["own"] == 1 and not found["cuda"]
    assert found["model"], "loaded before"
    assert found["torch"] == 1
    expected = {"/dev/null", str(place / "output"), str(place / "errors")}
    others = {name for name in found["files"] if name not in expected}
    assert len(others) == 1 and others.pop().startswith("socket:")  # to the one that waits
    assert found["cwd"] == str(place) and found["session"] and found["name"] == "__main__"
    assert found["argv"] == ["see", "a b", "é"] and found["parent"] == server()


def test_each_job_has_its_own_environment(run: Run, place: Path) -> None:
    first = seen(run, place, CUDA_VISIBLE_DEVICES="1", VAE_CLI_TRIAL="a")
    before = server()
    second = seen(run, place, CUDA_VISIBLE_DEVICES="0")
    assert server() == before
    a, b = first["environment"], second["environment"]
    assert (a.pop("VAE_CLI_TRIAL"), a.pop("CUDA_VISIBLE_DEVICES")) == ("a", "1")
    assert b.pop("CUDA_VISIBLE_DEVICES") == "0" and a == b
    assert a["VAE_CLI_PARENT"] == str(before)
    equal = [x == y for x, y in zip(first["draws"], second["draws"], strict=True)]
    assert equal == [False, False, True]
    third = seen(run, place, OMP_NUM_THREADS="2")  # which libraries have read
    assert third["torch"] == min(2, os.cpu_count() or 1) and server() != before
    assert third["threads"] == 1, "OpenBLAS ends its threads before a fork"
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


def test_loading_asks_for_no_gpu() -> None:
    """A context that it made would be of no use to a fork."""
    code = """
        import torch

        def asked(*_):
            raise SystemError("a GPU is asked for")

        for name in ("is_available", "device_count", "current_device", "init", "_lazy_init"):
            setattr(torch.cuda, name, asked)
        from vae_cli.sweep.warm import _preload
        _preload()
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


def test_a_job_is_asked_to_stop(run: Run) -> None:
    assert run("stop", is_stopped=lambda: True) == 75
    assert run("exit", "0", is_stopped=lambda: True) == 0  # it does not listen yet


def test_a_killed_server_is_replaced(run: Run, place: Path) -> None:
    assert run("exit", "0") == 0
    before = server()

    def kill() -> bool:
        if (place / "begun").exists():
            os.kill(before, signal.SIGKILL)
        return False

    assert run("orphan", is_stopped=kill) is None
    assert run("exit", "2") == 2 and server() != before


def results(folder: Path) -> dict[str, float]:
    found = json.loads((folder / "results.json").read_text())
    return {name: value for name, value in found.items() if TIMES not in name}


def test_the_numbers_of_forked_jobs_are_those_of_new_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = ["-m", "posterior=diagonal,planar", "trainer.max_epochs=2", *QUICK]
    assert main([*sweep, "hydra.sweep.dir=forked"]) == 0
    assert warm._server is None
    with monkeypatch.context() as patch:
        patch.setattr(job, "_is_warm", lambda *_: False)
        assert main([*sweep, "hydra.sweep.dir=new"]) == 0
    for name in ("posterior-diagonal", "posterior-planar"):
        assert results(Path("forked") / name) == results(Path("new") / name)


def wait_for(file: Path, driver: "subprocess.Popen[bytes]") -> None:
    while not file.is_file():
        assert driver.poll() is None
        time.sleep(0.05)


def children_of(process: int) -> list[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(word) for word in text.split()]


def test_a_sweep_outlives_its_server(tmp_path: Path) -> None:
    """The job saves and stops, and a new process resumes it."""
    sweep = ["-m", "seed=0,1", "trainer.max_epochs=2", "trainer.save_every=20", "metric=[]"]
    driver = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *sweep, *QUICK, "hydra.sweep.dir=swept"], cwd=tmp_path
    )
    wait_for(tmp_path / "swept/seed-0/checkpoints/previous.ckpt", driver)
    (server,) = children_of(driver.pid)
    os.kill(server, signal.SIGKILL)
    assert driver.wait() == 0
    first, second = (results(tmp_path / "swept" / name) for name in ("seed-0", "seed-1"))
    assert first["train/steps"] == second["train/steps"]
    commands = (tmp_path / "swept/seed-0/command.txt").read_text().splitlines()
    assert len(commands) == 2  # it was resumed
