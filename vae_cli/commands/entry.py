"""What all commands share: their settings and runs, and one line for a mistake."""

import errno
import os
import re
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Self, TextIO

from vae_cli import __version__
from vae_cli.errors import NOTE, Notice, Resumable, VaeCliError, shortened
from vae_cli.memory import is_out_of_memory
from vae_cli.streams import OutputError, drop_output, prepare_streams

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from vae_cli.config.request import Request

Body = Callable[["DictConfig", list[str], "Request"], int]
Find = Callable[["Request"], list[str]]
Main = Callable[..., int]  # of arguments, or of none: the installed script's

UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)
MISPLACED = {
    errno.EISDIR: "is a folder, but must be a file",
    errno.ENOTDIR: "leads through a file that would have to be a folder",
}
INTERRUPTED = 130  # a shell's exit code of a program that Ctrl-C has ended
LONGEST_WORD, LONGEST_LINE = 300, 1200  # of a mistake's message


def command(
    name: str,
    find: "Find | None" = None,
    compose: "Callable[[Request], DictConfig] | None" = None,
    takes_places: bool = False,
) -> Callable[[Body], Main]:
    """Makes the entry of an installed script, ``vae-NAME``, of a function that does its work.

    The function gets the checked settings, the folders of the runs and the request; it returns the
    exit code. The entry takes arguments without the program's name, those of the process by
    default, and returns the exit code, as ``run_command`` does.

    Args:
        name: Of the command and of its primary file.
        find: Finds the runs; None for a command that has none.
        compose: Gives the settings; None for those of the primary file.
        takes_places: Whether words without a key name runs, too.
    """

    def entry(body: Body) -> Main:
        def work(arguments: list[str]) -> int:
            from vae_cli.commands.parser import Parser

            request = Parser(name, takes_places, find is not None).read(arguments)
            if request.flags["help"]:
                from vae_cli.help.show import help_of

                print(help_of(name, request.flags["words"], request.config_dir))
                return 0
            cfg = (compose or _composed)(request)
            return body(cfg, find(request) if find else [], request)

        @wraps(body)
        def main(argv: Sequence[str] | None = None) -> int:
            with _Termination() as termination:
                code = run_command(f"vae-{name}", work, argv)
            if argv is None:  # a program's: Python takes a while to tidy up
                ignore_interruptions()
            return termination.code if code == INTERRUPTED else code

        return main

    return entry


def _composed(request: "Request") -> "DictConfig":
    from omegaconf import OmegaConf

    cfg, _ = request.without("run").compose()
    OmegaConf.resolve(cfg)
    return cfg


def run_command(
    program: str,
    body: Callable[[list[str]], int],
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
            code = 0 if _is_answered(program, arguments) else body(arguments)
        sys.stdout.flush()
        return code
    except VaeCliError as error:
        if str(error) and not is_silent():
            _print_mistake(program, str(error))
        return error.exit_code
    except BrokenPipeError:  # the reader has seen enough: "| head"
        drop_output()
        return 0
    except OutputError as error:
        _print_mistake(
            program, f"standard output: {error.strerror}. Free some space, or print elsewhere."
        )
        return VaeCliError.exit_code
    except OSError as error:
        rule = _rule_of(error)
        if rule is None:
            raise
        _print_mistake(program, rule)
        return VaeCliError.exit_code
    except KeyboardInterrupt as stop:
        rest = f": {stop}" if str(stop) else ""
        if isinstance(stop, Resumable):
            rest = ". Run the same command again to continue."
        print(f"{program}: interrupted{rest}", file=sys.stderr)
        return INTERRUPTED
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        reason = " ".join(str(error).split())[:200] or "there is not enough"
        if not is_silent():
            _print_mistake(
                program, f"memory: {reason}. Try a smaller network or batch, or fewer samples."
            )
        return VaeCliError.exit_code


def ignore_interruptions() -> None:
    """Ignores Ctrl-C and SIGTERM from now on: the results are kept, and nothing is left to stop."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


class _Termination:
    """Makes SIGTERM interrupt a command as Ctrl-C does, so that it keeps its results.

    Attributes:
        code: Of an interrupted command: which signal it was.
    """

    def __init__(self) -> None:
        self.code, self._process = INTERRUPTED, os.getpid()
        self._is_ours, self._before = False, signal.getsignal(signal.SIGINT)

    def __enter__(self) -> Self:
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._interrupt)
            self._is_ours = True
        return self

    def __exit__(self, *_: object) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._before or signal.SIG_DFL)
        if self._is_ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _interrupt(self, number: int, frame: object) -> None:
        self.code = 128 + number
        if os.getpid() != self._process:  # a forked worker
            os._exit(self.code)
        raise KeyboardInterrupt


@contextmanager
def _notices_as_lines(is_silent: Callable[[], bool]) -> Iterator[None]:
    """Prints each Notice once, as a line. Warnings of libraries stay warnings: they are faults."""
    show, printed = warnings.showwarning, set[str]()

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
        elif str(message) not in printed and not is_silent():
            from vae_cli.console import printable

            printed.add(str(message))
            print(f"{NOTE}{printable(message)}", file=sys.stderr)

    warnings.showwarning = show_notice
    try:
        yield
    finally:
        warnings.showwarning = show


def _print_mistake(program: str, message: str) -> None:
    """Prints one line, whatever characters the user's values have."""
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


def _is_answered(program: str, arguments: Sequence[str]) -> bool:
    """Answers what no command line has to be read for; returns whether it did."""
    if "--completion" in arguments:
        from vae_cli.commands.completion import completion

        after = arguments[arguments.index("--completion") + 1 :]
        print(completion(program.removeprefix("vae-"), after), end="")
        return True
    if "--version" in arguments:
        print(f"vae-cli {__version__}")
        return True
    return False
