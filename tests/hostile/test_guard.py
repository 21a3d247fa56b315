"""The guard sees what a hostile run could do: one that sees nothing would prove nothing."""

import importlib
import os
import socket
import subprocess
import sys
import urllib.request
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import guard
import numpy as np
import pytest
import shown

from vae_cli.errors import VaeCliError


def fail(message: str) -> None:
    raise VaeCliError(message)


DEEDS: dict[str, tuple[Callable[[], object], str]] = {  # and what is reported of each
    "a command": (lambda: os.system("true"), "os.system"),
    "a process": (lambda: subprocess.run(["true"], check=False), "subprocess.Popen"),
    "a connection": (lambda: socket.create_connection(("127.0.0.1", 9)), "socket."),
    "an address": (lambda: urllib.request.urlopen("file:///etc/hostname"), "urllib.Request"),
    "an import": (lambda: importlib.import_module(guard.MODULE), "canary_module"),
    "a private file": (lambda: Path("outside/private").read_text(), "open outside/private"),
    "a file outside": (lambda: Path("hit").write_text("x"), "outside the run"),
    "a change outside": (lambda: Path("outside/private").write_text("x"), "open outside/private"),
    "a secret printed": (lambda: print(guard.SECRET), "printed the canary"),
    "a secret written": (lambda: Path("run/a").write_text(guard.SECRET), "wrote the canary"),
    "a variable set": (lambda: os.environ.update(CANARY_SET="1"), "environment variable"),
    "an escape code": (lambda: print("\x1b[2J"), "printed raw"),
    "a wish for memory": (lambda: np.ones(1 << 29), "MemoryError"),
    "a traceback": (lambda: 1 // 0, "ZeroDivisionError"),
    "another exit code": (lambda: 75, "exit code 75"),
    "an exit": (lambda: sys.exit(1), "SystemExit"),
    "no refusal": (lambda: 0, "was not refused"),
    "several lines": (lambda: print("a\nb", file=sys.stderr) or 2, "printed 2 lines"),
    "a long line": (lambda: fail("x" * 5000), "a line of"),
    "a warning": (lambda: warnings.warn("x", stacklevel=1) or fail("a: b."), "warned x"),
    "a change, then a refusal": (lambda: Path("run/a").touch() or fail("a: b."), "then failed"),
}


@pytest.mark.parametrize("name", DEEDS)
def test_what_is_reported(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("run", "out", "outside"):
        (tmp_path / folder).mkdir()
    (tmp_path / "outside" / "private").write_text("mine")
    (tmp_path / f"{guard.MODULE}.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    deed, told = DEEDS[name]
    outcome = guard.call(deed, tmp_path, tmp_path / "run", refused=name == "no refusal")
    assert any(told in problem for problem in outcome.problems), outcome


def test_a_refusal_is_no_problem(tmp_path: Path) -> None:
    def refuse() -> None:
        fail("run=a: needs b. Try c.")

    outcome = guard.call(refuse, tmp_path, tmp_path / "run", refused=True)
    assert outcome.code == 2 and not outcome.problems


def test_what_a_page_does(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>&lt;script&gt;</p><a href='#top'>up</a>")
    assert not list(shown.check_page(page, Counter()))
    for text in ("<script>1</script>", "<p onclick=hit()>", "<a href=javascript:hit()>", "\x1b"):
        page.write_text(text)
        assert list(shown.check_page(page, Counter()))


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("csv", "run,elbo\na=b,-3.5\n'=1,+2\n", "run\n=1+1\n"),
        ("csv", "run\n x\n", '"a","@SUM(1)"\n'),
        ("latex", "\\textbackslash{}input\\{x\\}", "\\input{x}"),
        ("markdown", "| &lt;script&gt; | \\[x\\]\\(javascript:1) |", "| <script> |"),
    ],
)
def test_what_a_table_does(form: str, good: str, bad: str) -> None:
    assert not list(shown.check_table(form, good)) and list(shown.check_table(form, bad))
