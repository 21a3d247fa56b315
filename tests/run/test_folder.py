"""Folders of runs."""

import json
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
    with pytest.raises(ConfigError, match="is there already"):
        RunFolder.create(str(wanted), True)


def test_results_are_read_as_written(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_results({"a": 1.5, "b": None})
    assert json.loads(folder.results.read_text()) == {"a": 1.5, "b": None}
    with pytest.raises(ValueError, match="nan"):
        folder.write_results({"a": float("nan")})
    assert json.loads(folder.results.read_text()) == {"a": 1.5, "b": None}
