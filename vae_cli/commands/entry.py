"""What all commands share: their arguments' grammar, and how a mistake is told."""

import argparse
import ctypes
import logging
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import wraps
from typing import NoReturn

from vae_cli.errors import VaeCliError
from vae_cli.memory import is_out_of_memory

Body = Callable[[list[str]], int]
Main = Callable[..., int]  # of arguments, or of none: the installed script's

INTERRUPTED = 130  # what a shell says of a program that Ctrl-C has ended
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h; bytes


class Parser(argparse.ArgumentParser):
    """Flags and overrides in any order; what it does not know is told in one line."""

    def __init__(self) -> None:
        super().__init__(add_help=False, allow_abbrev=False)
        self.add_argument("--help", "-h", action="store_true")
        self.add_argument("--config-dir", "-cd")
        self.add_argument("overrides", nargs="*")

    def error(self, message: str) -> NoReturn:
        """Raises the mistake instead of leaving the process."""
        raise VaeCliError(f"{message}. Try --help.")


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
            return run_command(program, body, argv)

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
    try:
        return body(list(sys.argv[1:] if argv is None else argv))
    except VaeCliError as error:
        if not is_silent():
            _tell(program, str(error))
        return error.exit_code
    except BrokenPipeError:  # whoever read the output has seen enough: "| head"
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        reason = " ".join(str(error).split())[:200] or "there is not enough"
        if not is_silent():
            _tell(program, f"memory: {reason}. Try a smaller network or batch, or fewer samples.")
        return VaeCliError.exit_code


def _tell(program: str, message: str) -> None:
    """Prints one line, whatever signs the user's values have."""
    signs = (c if c.isprintable() else repr(c)[1:-1] for c in message)
    print(f"{program}: {''.join(signs)}", file=sys.stderr)


def prepare_libraries() -> None:
    """Imports torch and Lightning, set up for a command: fast on a CPU, and without advice."""
    # Idle threads spin this long, not a hundred times as long by libgomp's default: beside a busy
    # program that slows small models down fifty times.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    _keep_freed_memory()
    import pytorch_lightning  # noqa: F401  it sets the levels of its loggers

    # Its advice is for programmers, not for people who run a command.
    for name in ("pytorch_lightning", "lightning_fabric"):
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
