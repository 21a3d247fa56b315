"""Folders of runs."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from vae_cli.commands.eval import main as evaluate
from vae_cli.commands.runs import find_runs
from vae_cli.commands.train import main as train
from vae_cli.config.build import build_each
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.folders import check_name
from vae_cli.run.folder import RunFolder, describe
from vae_cli.sweep.folder import SweepFolder


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


def test_a_file_of_a_run_is_not_its_folder(tmp_path: Path) -> None:
    run = RunFolder.create(str(tmp_path / "mine"), True)
    run.overrides.touch()
    (checkpoint := run.path / "checkpoints" / "last.ckpt").touch()
    with pytest.raises(ConfigError, match=r"is not the folder of a run\. Try resume=\S*/mine\.$"):
        RunFolder.existing(str(checkpoint))
    with pytest.raises(ConfigError, match=r"there is no such folder\. It should hold overrides"):
        RunFolder.existing(str(tmp_path / "nowhere"))


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
        pytest.raises(ConfigError, match="can't be locked"),
        RunFolder(tmp_path).held(),
    ):
        pass


PLACES = [
    "overrides.yaml", "command.txt", "lock", "checkpoints", "checkpoints/last.ckpt", "figures",
    "figures/samples.png", "evaluation.json.new", "projector/images.png",
]  # fmt: skip
KINDS: dict[str, Callable[[Path, Path], object]] = {
    "link": lambda path, target: path.symlink_to(target),
    "dangling": lambda path, _: path.symlink_to("nowhere"),
    "pipe": lambda path, _: os.mkfifo(path),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
def test_a_folder_that_leads_elsewhere_is_not_opened(
    place: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, theirs = tmp_path / "run", tmp_path / "theirs"
    theirs.write_text("[]")
    run.mkdir()
    if place != "overrides.yaml":
        (run / "overrides.yaml").write_text("[]")
    (run / place).parent.mkdir(exist_ok=True)
    KINDS[kind](run / place, theirs)
    for main, key in ((train, "resume"), (evaluate, "run")):
        assert main([f"{key}={run}"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        what = "not a regular file" if kind == "pipe" else "a symbolic link"
        assert f"{key}={run}: holds {place}, which is {what}. Replace" in line
    assert theirs.read_text() == "[]" and len([*tmp_path.iterdir()]) == 2


def test_a_link_to_a_folder_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "run"
    run.mkdir()
    (tmp_path / "link").symlink_to(run)
    with pytest.raises(ConfigError, match=f"hydra.run.dir=link: .*Try hydra.run.dir={run}"):
        RunFolder.create("link", True)
    (run / "overrides.yaml").write_text("[]")
    with pytest.raises(ConfigError, match=f"run=link: is a symbolic link.*Try run={run}"):
        RunFolder.existing("link", "run")
    assert [*find_runs("run", "*")] == ["run"]
    (tmp_path / "outputs").symlink_to(tmp_path)  # folders above may be links: they are the user's
    assert RunFolder.existing("outputs/run").path == Path("outputs/run")


def test_a_sweep_that_leads_elsewhere_is_not_resumed(tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_text("{}")
    (tmp_path / ".submitit").mkdir()
    (tmp_path / ".submitit" / "1_submitted.pkl").symlink_to("elsewhere")  # the launcher's
    SweepFolder.existing(str(tmp_path))
    (tmp_path / "seed=0").mkdir()
    (tmp_path / "seed=0" / "error.txt").symlink_to("elsewhere")
    with pytest.raises(ConfigError, match=r"sweep\.resume=.*holds seed=0/error\.txt"):
        SweepFolder.existing(str(tmp_path))


def test_a_second_name_of_another_file_is_not_written(tmp_path: Path) -> None:
    """Hard links cannot be told from files by their kind alone."""
    theirs, folder = tmp_path / "theirs", RunFolder.create(str(tmp_path / "run"), True)
    theirs.write_text("theirs")
    for name in ("lock", "command.txt", "environment.txt", "results.json"):
        (folder.path / name).hardlink_to(theirs)
    with pytest.raises(ConfigError, match="lock is not a regular file of one name"), folder.held():
        pass
    with pytest.raises(VaeCliError, match=r"command\.txt is not a regular file of one name"):
        describe(folder.path, OmegaConf.create(), ["vae-train"])
    (folder.path / "command.txt").unlink()
    describe(folder.path, OmegaConf.create(), ["vae-train"])
    folder.write_results({"x": 1})
    assert theirs.read_text() == "theirs"


@pytest.mark.parametrize(
    "name", ["..", ".", "", "/etc/x", "a/b", "a b", "a\n", "\x1b[31m", "a\0b", "a" * 101]
)
def test_names_of_files_are_plain(name: str) -> None:
    with pytest.raises(ConfigError, match="of letters, digits"):
        check_name("figure", name)
    with pytest.raises(ConfigError, match="of letters, digits"):
        build_each(OmegaConf.create({"figure": {name: {}}}), "figure")


def _python(code: str, work: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=work, capture_output=True, text=True, timeout=60
    )
