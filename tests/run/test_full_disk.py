"""A disk that is full: one line, nothing half-written, and what the line advises works."""

import re
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest

from vae_cli.commands.flow import main as flow
from vae_cli.commands.train import main as train
from vae_cli.launch.launch import SHARED_FOLDER

LIMIT = 200  # bytes of a file: enough for a lock
COMMANDS = {
    "sample png": "what=[samples,reconstructions]",
    "sample svg": "what=samples format=svg",
    "sample pdf": "what=samples format=pdf",
    "sample npz": "what=samples format=npz",
    "sample gif": "what=traversals format=gif",
    "sample many png": "what=samples count=30",
    "sample many npz": "what=samples count=30 format=npz",
    "sample elsewhere": "what=samples output=elsewhere",
    "eval": "samples=5 analysis=[]",
    "finetune": "steps=3",
    "export": "",
    "report": "output=page.html",
    "compare": "output=table.csv format=csv",
}
BRIEF = ["trainer.max_steps=3", "logger=csv", "figure=[]", "metric=[]", "hydra.run.dir=run"]


@contextmanager
def full(limit: int = LIMIT) -> Iterator[None]:
    """A file that has reached so many bytes grows no more. Python ignores the signal."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(work)
        patch.delenv(SHARED_FOLDER, raising=False)
        assert train(BRIEF) == 0
    return work


@pytest.mark.parametrize("name", COMMANDS)
def test_one_line_and_nothing_half_written(
    name: str,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(trained / "run", tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    main: Callable[[list[str]], int] = import_module(f"vae_cli.commands.{name.split()[0]}").main
    before = files_in(tmp_path)
    with full():
        runs = "run" if name == "compare" else "run=run"
        assert main([runs, *COMMANDS[name].split()]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"vae-{name.split()[0]}: ") and "File too large" in line
    after = files_in(tmp_path)
    assert after.pop(Path("run/numbers.lock"), b"").count(b"\n") <= 1
    assert after == before


def files_in(folder: Path) -> dict[Path, bytes]:
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("limit", [0, LIMIT, 1_500, 5_000])
def test_a_run_that_cannot_begin_resumes_once_there_is_room(
    limit: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(SHARED_FOLDER, raising=False)
    with full(limit):
        assert train(BRIEF) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vae-train: ") and "File too large" in line
    assert not [path for path in files_in(tmp_path) if path.name.endswith(".new")]
    advice = re.search(r"(?:go on|resume) with vae-train (resume=\S+)$", line, re.IGNORECASE)
    assert train([advice[1]] if advice else BRIEF) == 0


def test_a_plane_without_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with full():
        assert flow(["energy=wave", "steps=1", "samples=10"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vae-flow: ") and "File too large" in line
    assert not any(files_in(tmp_path).values())
