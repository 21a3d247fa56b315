"""A hostile run in a place where everything that it could reach is watched."""

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import good_runs
import guard
import openings
import pytest
import shown
from rows import Row
from strange_run import StrangeRun

GOOD, OUTSIDE, STRANGER, OUT = "good", "outside", "stranger", "out"
CONTENT = {  # of what is outside
    "private.txt": f"{guard.SECRET}\n",
    "theirs.yaml": f"# @package _global_\nrun_id: {guard.SECRET}\n",
    f"{guard.MODULE}.py": "raise RuntimeError('a stranger has imported this')\n",
    "home/.ssh/id": f"{guard.SECRET}\n",
    "home/.config/settings": "mine\n",
}


@contextmanager
def settled(folder: Path, models: tuple[str, ...]) -> Iterator[Path]:
    """A current folder with good runs, a home, private files and a canary in the environment.

    Args:
        folder: An empty one.
        models: Whose runs there are to be.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("VAE_CLI_CONF", "VAE_CLI_DATA", "VAE_CLI_RUN_FOLDER", "XDG_CACHE_HOME"):
            patch.delenv(name, raising=False)
        patch.setattr("torch.cuda.device_count", lambda: 0)
        openings.compose_once(patch)
        for name in models:
            good_runs.make(name, folder / GOOD)
            good_runs.complete(folder / GOOD / name)
        patch.setenv("CANARY", guard.SECRET)
        patch.setenv("HOME", str(folder / OUTSIDE / "home"))
        patch.setattr(sys, "path", [*sys.path, str(folder / OUTSIDE)])
        patch.setattr(subprocess, "Popen", _Process)
        yield folder


class _Process(subprocess.Popen):  # type: ignore[type-arg]
    """A process; that of a first stage is trained in this one, where it is watched, too."""

    def __init__(self, command: Any, *arguments: Any, **named: Any) -> None:
        self.training = list(command[1:3]) == ["-m", "vae_cli.commands.train"]
        self.command = command
        self._child_created = False
        if not self.training:
            super().__init__(command, *arguments, **named)

    def wait(self, timeout: float | None = None) -> int:
        if not self.training:
            return super().wait(timeout)
        self.returncode = openings.command("train", *self.command[3:])
        return self.returncode


def spoiled(row: Row, place: Path) -> StrangeRun:
    """A hostile run, and everything around it as it was in the beginning."""
    for child in place.iterdir():
        if child.name != GOOD:
            clear(child)
    for name, content in CONTENT.items():
        path = place / OUTSIDE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (place / STRANGER).mkdir()
    run = StrangeRun(place / STRANGER / row.folder, place / OUTSIDE)
    shutil.copytree(place / GOOD / row.base, run.path)
    row.spoil(run)
    return run


def attempt(row: Row, name: str, place: Path, run: StrangeRun) -> guard.Outcome:
    """Opens a hostile run in one way; the folder is as before if that was refused."""
    clear(place / OUT)
    (place / OUT).mkdir()
    function = ways(row)[name]
    outcome = guard.call(function, place, run.path, refused=name in row.refused)
    page = place / OUT / "page.html"
    if outcome.code == 0:
        if name == "report":
            outcome.problems.extend(shown.check_page(page, usual_page()))
        outcome.problems.extend(shown.check_table(name, outcome.out))
    return outcome


@cache
def usual_page() -> Counter[str]:
    """What the page of a good run does."""
    page = Path(OUT, "usual.html")
    if openings.command("report", f"run={GOOD}/vae", f"output={page}") != 0:
        raise RuntimeError("no page of a good run")
    return shown.active(page)


def ways(row: Row) -> dict[str, Callable[[], object]]:
    """The ways to open the run of a row, by name."""
    if row.folder == "run":
        return openings.openings(f"{STRANGER}/run", f"{GOOD}/vae")
    found = openings.openings(f"{STRANGER}/*", f"{GOOD}/vae")  # found, and not spelled out
    tables = openings.openings(STRANGER, f"{GOOD}/vae")
    return {
        "eval": found["eval"],
        "report": found["report"],
        **{name: tables[name] for name in sorted(openings.TABLES)},
    }


def clear(folder: Path) -> None:
    """Removes a folder, a link, or whatever has its name."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.is_dir():
        shutil.rmtree(folder)
    elif folder.exists():  # a pipe, a socket
        folder.unlink()


def report(row: Row, name: str, outcome: guard.Outcome) -> dict[str, Any]:
    """What a failed trial is to be found by."""
    return {
        "kind": row.kind,
        "row": row.name,
        "opening": name,
        "code": outcome.code,
        "problems": outcome.problems,
        "err": outcome.err[:400],
    }
