"""Sweeps' folders that somebody has prepared."""

import json
from pathlib import Path

import pytest

from vae_cli.errors import ConfigError
from vae_cli.sweep.folder import TAIL, SweepFolder, last_line
from vae_cli.sweep.strategy import Job


@pytest.mark.parametrize(
    "text",
    [
        "[]", "a: b", "a: [[b]]", "a: {b: c}", "../a: [b]", "/a: [b]", '"": [b]', "..: [b]",
        ".: [b]",
        '"a\\n": [b]', "a: &x [b]\nc: *x", "a: !!python/name:os.system []", "{",
    ],
)  # fmt: skip
def test_jobs_are_names_of_folders_with_texts(text: str, tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    folder.jobs.write_text(text)
    with pytest.raises(ConfigError, match=r"jobs\.yaml"):
        folder.known_jobs()


def test_interpolations_in_jobs_stay_texts(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    folder.jobs.write_text("seed=1: ['seed=${oc.env:HOME}']")
    assert folder.known_jobs() == {"seed=1": ["seed=${oc.env:HOME}"]}


@pytest.mark.parametrize(
    "ending", ["{}", "[]", "{", '{"exit_code": "1", "seconds": 1}', '{"exit_code": 1}']
)
def test_what_can_not_be_read_has_not_ended(ending: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "job.json").write_text(ending)
    (tmp_path / "a" / "results.json").write_text("{")
    folder = SweepFolder(tmp_path)
    assert folder.ending_of("a") is None and folder.why("a") == "did not finish"
    assert folder.results_of(Job("a", [], {})) is None


def test_results_are_numbers(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "results.json").write_text(json.dumps({"test/elbo": "x", "test/kl": 1.5}))
    assert SweepFolder(tmp_path).results_of(Job("a", [], {})) == {"test/kl": 1.5}


def test_the_last_line_is_looked_for_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "error.txt"
    assert last_line(path) == ""
    path.write_text("first\n" + "x" * TAIL * 2 + "\nlast\n\n")
    assert last_line(path) == "last"
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert last_line(path) == ""
