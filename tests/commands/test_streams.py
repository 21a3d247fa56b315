"""Closed and full standard streams: one line where output is lost, never a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")
COMMANDS = [  # modules of vae_cli.commands with arguments that print something
    "compare --help", "report --help", "train --help", "train --version", "train --cfg job",
]  # fmt: skip


def run(command: str, redirections: str, folder: Path) -> subprocess.CompletedProcess[str]:
    name, _, arguments = command.partition(" ")
    program = f"import sys; from vae_cli.commands.{name} import main; sys.exit(main())"
    line = f"{sys.executable} -c '{program}' {arguments} {redirections}"
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", COMMANDS)
def test_full_output_is_told(command: str, tmp_path: Path) -> None:
    done = run(command, "> /dev/full", tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "standard output: No space left on device" in line


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-", "2> /dev/full"])
def test_closed_streams_are_nowhere(closed: str, tmp_path: Path) -> None:
    done = run("compare --help", closed, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("vae-compare") == (">&-" not in closed.replace("2>&-", ""))


def test_mistake_that_nobody_reads_has_its_exit_code(tmp_path: Path) -> None:
    for unread in ("2>&-", "2> /dev/full"):
        assert run("compare", unread, tmp_path).returncode == 2


def test_reader_that_leaves_at_once(tmp_path: Path) -> None:
    done = run("train --cfg job", "| head -0", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
