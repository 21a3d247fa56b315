"""Folders of runs."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vae_cli.errors import ConfigError
from vae_cli.run.folder import RunFolder


def test_same_instant_two_folders(tmp_path: Path) -> None:
    wanted = str(tmp_path / "outputs" / "2026-01-01_00-00-00")
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: RunFolder.create(wanted, False).path, range(8)))
    assert len(set(made)) == 8
    assert all((path / "checkpoints").is_dir() for path in made)


def test_named_folder(tmp_path: Path) -> None:
    wanted = tmp_path / "mine"
    wanted.mkdir()
    assert RunFolder.create(str(wanted), True).path == wanted  # empty: why not
    # As a run leaves it that was killed at its very start: nothing is lost.
    assert RunFolder.create(str(wanted), True).path == wanted
    (wanted / "checkpoints" / "last.ckpt").touch()
    with pytest.raises(ConfigError, match="is there already"):
        RunFolder.create(str(wanted), True)


def test_results_are_read_as_written(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_results({"a": 1.5, "b": None})
    assert json.loads(folder.results.read_text()) == {"a": 1.5, "b": None}
    with pytest.raises(ValueError, match="nan"):
        folder.write_results({"a": float("nan")})
    assert json.loads(folder.results.read_text()) == {"a": 1.5, "b": None}


def test_a_folder_is_held_by_one_process(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    code = "import sys; from vae_cli.run.folder import RunFolder\nwith RunFolder('.').held(): {}"
    with folder.held():
        again = _python(code.format("pass"), tmp_path)
        assert f"process {os.getpid()} on" in again.stderr and "trains there" in again.stderr
    assert _python(code.format("pass"), tmp_path).returncode == 0
    dead = _python(code.format("import os; os.kill(os.getpid(), 9)"), tmp_path)
    assert dead.returncode == -9
    with folder.held():  # a dead process holds nothing
        pass


def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()  # root may write where others may not: something all can't do
    with (
        pytest.raises(ConfigError, match="can't be held"),
        RunFolder(tmp_path).held(),
    ):
        pass


def _python(code: str, work: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=work, capture_output=True, text=True, timeout=60
    )
