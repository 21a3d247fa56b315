"""Closed, full and narrow standard streams: one line where output is lost, never a traceback."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import vae_cli
from vae_cli.streams import ASCII

FULL = Path("/dev/full")
COMMANDS = [  # modules of vae_cli.commands with arguments that print something
    "compare --help",
    "train --version",
    "train --cfg job",
]


def run(command: str, redirections: str, folder: Path) -> subprocess.CompletedProcess[str]:
    name, _, arguments = command.partition(" ")
    program = f"import sys; from vae_cli.commands.{name} import main; sys.exit(main())"
    line = f"{sys.executable} -c '{program}' {arguments} {redirections}"
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", COMMANDS)
def test_full_output_is_reported(command: str, tmp_path: Path) -> None:
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


def texts_of(module: ast.Module) -> Iterator[str]:
    """The texts in a module that may be printed: all but docstrings."""
    notes = {id(n.value) for n in ast.walk(module) if isinstance(n, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and id(node) not in notes:
            yield str(node.value)


def test_every_sign_that_is_printed_has_words_in_ascii() -> None:
    folder = Path(vae_cli.__file__).parent
    modules = [ast.parse(p.read_text(encoding="utf-8")) for p in folder.rglob("*.py")]
    signs = {sign for m in modules for text in texts_of(m) for sign in text if not sign.isascii()}
    assert signs <= {*ASCII}
    assert all(words.isascii() for words in ASCII.values())


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
def test_signs_that_an_encoding_has_not(encoding: str) -> None:
    unknown = {"ö": r"\xf6", "数": r"\u6570", "\udcff": r"\udcff"}
    code = "import sys; from vae_cli.streams import prepare_streams; prepare_streams()\n"
    shown = "".join(ASCII | unknown)
    code += f"for stream in (sys.stdout, sys.stderr): print({shown!a}, file=stream)"
    inherited = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", code], env=inherited, capture_output=True)
    assert done.returncode == 0, done.stderr
    for sign, words in (ASCII | unknown).items():
        shown = shown if has(encoding, sign) else shown.replace(sign, words)
    for printed in (done.stdout, done.stderr):
        assert printed.decode(encoding).rstrip() == shown


def has(encoding: str, sign: str) -> bool:
    try:
        return bool(sign.encode(encoding))
    except UnicodeEncodeError:
        return False
