"""What all commands share: starting, and printing a mistake as one line."""

import ctypes
import errno
import logging
import os
import re
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Self, TextIO

from vae_cli import __version__
from vae_cli.errors import NOTE, Notice, Resumable, VaeCliError, shortened
from vae_cli.memory import is_out_of_memory
from vae_cli.streams import OutputError, drop_output, prepare_streams

Body = Callable[[list[str]], int]
Main = Callable[..., int]  # of arguments, or of none: the installed script's

UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)
MISPLACED = {
    errno.EISDIR: "is a folder, and a file belongs there",
    errno.ENOTDIR: "leads through a file, and a folder belongs there",
}
INTERRUPTED = 130  # what a shell says of a program that Ctrl-C has ended
LONGEST_WORD, LONGEST_LINE = 300, 1200  # of a mistake's message
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h; bytes


def command(program: str) -> Callable[[Body], Main]:
    """Makes the entry of an installed script of what it does with its arguments.

    The entry takes arguments without the program's name, those of the process by default, and
    returns the exit code, as ``run_command`` does.

    Args:
        program: Its name.
    """

    def entry(body: Body) -> Main:
        @wraps(body)
        def main(argv: Sequence[str] | None = None) -> int:
            with _Termination() as termination:
                code = run_command(program, body, argv)
            return termination.code if code == INTERRUPTED else code

        return main

    return entry


def run_command(
    program: str,
    body: Body,
    argv: Sequence[str] | None,
    is_silent: Callable[[], bool] = lambda: False,
) -> int:
    """Runs a command.

    Args:
        program: Its name.
        body: What it does with its arguments; returns the exit code.
        argv: Arguments without the program's name; those of the process by default.
        is_silent: Whether another process of the same run prints the mistake.

    Returns:
        The exit code: the body's, 2 after one line about a mistake, 130 after an interruption.
    """
    prepare_streams()
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        with _notices_as_lines(is_silent):
            code = _print_version() if "--version" in arguments else body(arguments)
        sys.stdout.flush()
        return code
    except VaeCliError as error:
        if str(error) and not is_silent():
            _tell(program, str(error))
        return error.exit_code
    except BrokenPipeError:  # whoever read the output has seen enough: "| head"
        drop_output()
        return 0
    except OutputError as error:
        _tell(program, f"standard output: {error.strerror}. Free some space, or print elsewhere.")
        return VaeCliError.exit_code
    except OSError as error:
        rule = _rule_of(error)
        if rule is None:
            raise
        _tell(program, rule)
        return VaeCliError.exit_code
    except KeyboardInterrupt as stop:
        rest = ". Run the same command again to continue." * isinstance(stop, Resumable)
        print(f"{program}: interrupted{rest}", file=sys.stderr)
        return INTERRUPTED
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        reason = " ".join(str(error).split())[:200] or "there is not enough"
        if not is_silent():
            _tell(program, f"memory: {reason}. Try a smaller network or batch, or fewer samples.")
        return VaeCliError.exit_code


class _Termination:
    """Makes SIGTERM interrupt a command as Ctrl-C does: it then keeps what it has.

    Attributes:
        code: Of an interrupted command: which signal it was.
    """

    def __init__(self) -> None:
        self.code, self._process = INTERRUPTED, os.getpid()
        self._is_ours = False

    def __enter__(self) -> Self:
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._interrupt)
            self._is_ours = True
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _interrupt(self, number: int, frame: object) -> None:
        self.code = 128 + number
        if os.getpid() != self._process:  # a worker that was forked: nobody hears it
            os._exit(self.code)
        raise KeyboardInterrupt


@contextmanager
def _notices_as_lines(is_silent: Callable[[], bool]) -> Iterator[None]:
    """Prints each Notice once, as a line. Warnings of libraries stay: they are faults."""
    show, said = warnings.showwarning, set[str]()

    def show_notice(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if not issubclass(category, Notice):
            show(message, category, filename, lineno, file, line)
        elif str(message) not in said and not is_silent():
            from vae_cli.console import printable

            said.add(str(message))
            print(f"{NOTE}{printable(message)}", file=sys.stderr)

    warnings.showwarning = show_notice
    try:
        yield
    finally:
        warnings.showwarning = show


def _tell(program: str, message: str) -> None:
    """Prints one line, whatever signs the user's values have."""
    from vae_cli.console import printable  # rich takes its time to import

    words = re.sub(r"\S+", lambda word: shortened(word.group(), LONGEST_WORD), message)
    print(f"{program}: {printable(shortened(words, LONGEST_LINE))}", file=sys.stderr)


def _rule_of(error: OSError) -> str | None:
    """The line for a file that cannot be named or written; None for any other error."""
    if error.errno == errno.ENAMETOOLONG:
        return f"{error.filename}: the name is too long. Choose a shorter one."
    if error.filename is None:
        return None
    where = os.fsdecode(error.filename)
    if error.errno in MISPLACED:
        return f"{where}: {MISPLACED[error.errno]}. Move what is there."
    if error.errno in UNWRITABLE:
        remedy = "Make room, or write somewhere else."
        return f"{where}: can't be written ({error.strerror}). {remedy}"
    return None


def _print_version() -> int:
    print(f"vae-cli {__version__}")
    return 0


def prepare_libraries() -> None:
    """Imports torch and Lightning, set up for a command: fast on a CPU, and without advice."""
    # Idle threads spin this long, not a hundred times as long by libgomp's default: beside a busy
    # program that slows small models down fifty times.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    _keep_freed_memory()
    import pytorch_lightning  # noqa: F401  it sets the levels of its loggers

    # Their advice is for programmers, not for people who run a command.
    for name in ("pytorch_lightning", "lightning_fabric", "matplotlib.font_manager"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="pytorch_lightning|lightning_fabric")
    warnings.filterwarnings("error", message="Image size .* exceeds limit")  # a bomb, PIL supposes


def _keep_freed_memory() -> None:
    """Has glibc keep what is freed for the next tensor, in place of giving it back to the system.

    Tensors of a few megabytes are else new to the process each time, and touching their pages
    takes as long as computing them.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):  # not in musl
            libc.mallopt(M_MMAP_THRESHOLD, 1 << 25)
            libc.mallopt(M_TRIM_THRESHOLD, 1 << 28)
