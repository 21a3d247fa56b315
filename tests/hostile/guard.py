"""What no run may bring about, whatever its files hold: watched while a command opens it."""

import contextlib
import hashlib
import io
import os
import resource
import signal
import sys
import time
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vae_cli.errors import VaeCliError

SECRET = "canary-6f1d0c2a"  # value of the environment variable CANARY, content of a private file
MODULE = "canary_module"  # a module that only a stranger asks for
ROOM = 1 << 30  # bytes that a call may allocate beyond what the process has
SECONDS = 20  # until a call counts as hanging
LONGEST = 1000  # characters of the one line
STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork",
          "os.forkpty", "pty.spawn", "webbrowser.open")  # fmt: skip
CALLS = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request",
         "http.client.connect", "ftplib.connect", "smtplib.connect")  # fmt: skip
TRAPS = {MODULE, "antigravity", "this", "turtle", "idlelib"}
CODE = {"os", "posix", "subprocess", MODULE}  # modules that a pickle has no business with

_intrusions: list[str] = []
_state = {"on": False, "outside": ""}


class Intrusion(BaseException):
    """What a command tried and must not; no ``except Exception`` hides it."""


class Hangs(BaseException):
    """A call that takes too long."""


class Outcome(NamedTuple):
    """How a call ended.

    Attributes:
        code: Exit code; None after an exception.
        out, err: What it printed.
        problems: Invariants that it broke; empty for none.
        seconds: That it took.
    """

    code: int | None
    out: str
    err: str
    problems: list[str]
    seconds: float


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _state["on"]:
        return
    found = ""
    if event in STARTS and not _is_git(event, arguments):
        found = f"{event}{arguments[:2]}"
    elif event in CALLS:
        found = f"{event}{arguments[:3]}"
    elif event == "import" and str(arguments[0]).partition(".")[0] in TRAPS:
        found = f"import {arguments[0]}"
    elif event == "exec" and Path(getattr(arguments[0], "co_filename", "")).stem in TRAPS:
        found = f"run {arguments[0].co_filename}"  # importlib.import_module is no "import"
    elif event == "pickle.find_class" and arguments[0] in CODE:
        found = f"{event}{arguments}"
    elif event == "open" and isinstance(arguments[0], (str, bytes)):
        found = _opened(os.fsdecode(arguments[0]), arguments[2] or 0)
    if found:
        _intrusions.append(found[:300])
        raise Intrusion(found[:300])


def _is_git(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether it is the question for the code's own commit, which a resumed run records."""
    if event != "subprocess.Popen":
        return False
    words = arguments[1]
    return list(words[:2]) == ["git", "-C"] and "describe" in words


def _opened(path: str, flags: int) -> str:
    """Files outside are not read through a link either; without following one it does not work."""
    if flags & os.O_NOFOLLOW or path.endswith(f"{MODULE}.py"):  # its source says what it takes
        return ""
    real = os.path.realpath(path)
    return f"open {path}" if real.startswith(str(_state["outside"])) else ""


sys.addaudithook(_hook)  # for good: nobody can take it away, so it is switched on and off


@contextlib.contextmanager
def watched(outside: Path) -> Iterator[None]:
    """Notes and stops processes, connections, foreign imports and reads of what is outside."""
    _intrusions.clear()
    _state.update(on=True, outside=str(outside.resolve()) + os.sep)
    try:
        yield
    finally:
        _state["on"] = False


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Bounds memory and time."""

    def hangs(*_: Any) -> None:
        raise Hangs(f"more than {SECONDS} seconds")

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM, hard))
    before = signal.signal(signal.SIGALRM, hangs)
    signal.setitimer(signal.ITIMER_REAL, SECONDS, 2)  # again, should it be caught or wait again
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _content(path: Path, entry: os.DirEntry[str]) -> str:
    """A digest of a file; a file that is as it was is not read again."""
    found = entry.stat()
    key = (entry.path, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    if key not in _digests:
        _digests[key] = hashlib.blake2b(path.read_bytes()).hexdigest()
    return _digests[key]


_digests: dict[tuple[str, int, int, int, int], str] = {}


def snapshot(folder: Path) -> dict[str, str]:
    """Every path below a folder with what it is; links are not followed."""
    found, left = dict[str, str](), [folder] if folder.is_dir() else []
    while left:
        for entry in os.scandir(left.pop()):
            path = Path(entry.path)
            if entry.is_symlink():
                what = f"link to {os.fsencode(path.readlink())!r}"
            elif entry.is_dir():
                what = "folder"
                left.append(path)
            elif entry.is_file():
                what = _content(path, entry)
            else:
                what = f"mode {entry.stat().st_mode:o}"
            found[entry.path] = what
    return found


def call(function: Callable[[], object], place: Path, run: Path, *, refused: bool) -> Outcome:
    """Calls a command and checks everything that holds for all of them.

    Args:
        function: Returns the exit code, or raises a VaeCliError as the library does.
        place: The folder above the run, of which only ``run`` and ``out`` may change.
        run: The run's folder.
        refused: Whether the call is to be refused.
    """
    before, out, err = snapshot(place), io.StringIO(), io.StringIO()
    problems, code = list[str](), None
    start = time.monotonic()
    try:
        with (
            contextlib.redirect_stdout(out), contextlib.redirect_stderr(err),
            warnings.catch_warnings(record=True) as warned, limited(),
            watched(place / "outside"),
        ):  # fmt: skip
            warnings.simplefilter("always")
            code = _exit_code(function)
    except (Exception, Intrusion, Hangs, SystemExit) as error:
        where = _where(error)
        problems.append(f"{type(error).__name__}: {str(error)[:200]} {where}")
    seconds = time.monotonic() - start
    problems += [f"tried {text}" for text in dict.fromkeys(_intrusions)]
    problems += _spoken(code, out.getvalue(), err.getvalue(), refused)
    if code == 2:
        problems += [f"warned {str(w.message)[:100]}" for w in warned]
    stays = code != 0 and not any(part in err.getvalue() for part in RAN)
    problems += _changed(before, snapshot(place), (run, place / "out"), stays)
    if "CANARY_SET" in os.environ:
        problems.append("set an environment variable")
        del os.environ["CANARY_SET"]
    return Outcome(code, out.getvalue(), err.getvalue(), problems, seconds)


def _exit_code(function: Callable[[], object]) -> int:
    try:
        result = function()
    except VaeCliError as error:  # of vae_cli.load; commands print it
        print(f"load: {_printable(str(error))}", file=sys.stderr)
        return error.exit_code
    return result if isinstance(result, int) else 0


def _printable(message: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)


def _where(error: BaseException) -> str:
    """The line of the package in which it happened."""
    trace, found = error.__traceback__, ""
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if "vae_cli" in name and "tests" not in name:
            found = f"({Path(name).parent.name}/{Path(name).name}:{trace.tb_lineno})"
        trace = trace.tb_next
    return found


def _spoken(code: int | None, out: str, err: str, refused: bool) -> Iterator[str]:
    lines = [x for x in err.splitlines() if not x.startswith(("note: ", "warning: "))]
    if code not in (0, 2, None):
        yield f"exit code {code}"
    if refused and code == 0:
        yield "was not refused"
    if "Traceback" in out + err:
        yield "printed a traceback"
    if code == 2 and len(lines) != 1:
        yield f"printed {len(lines)} lines: {err[:300]!r}"
    if any(len(line) > LONGEST for line in lines):
        yield f"printed a line of {max(map(len, lines))} characters"
    if lines and "memory:" in lines[-1]:
        yield f"allocated before it refused: {lines[-1][:200]}"
    if SECRET in out + err:
        yield "printed the canary"
    raw = {c for c in out + err if c not in "\n\t" and unicodedata.category(c) in RAW}
    if raw:
        yield f"printed raw {sorted(map(ascii, raw))}"


# After these a folder may have changed: training took place, or a file could not be written.
RAN = ("step ", "is NaN or infinite", "Repair that, then resume")
RAW = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")  # controls, directions, lone surrogates, separators


def _changed(
    before: dict[str, str], after: dict[str, str], own: Sequence[Path], stays: bool
) -> Iterator[str]:
    changed = {path for path in before | after if before.get(path) != after.get(path)}
    for path in sorted(changed):
        if not any(Path(path).is_relative_to(folder) for folder in own):
            yield f"changed {path} outside the run"
        elif stays:
            yield f"changed {path}, and then failed"
        if _is_file(Path(path)) and SECRET.encode() in Path(path).read_bytes():
            yield f"wrote the canary into {path}"


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
