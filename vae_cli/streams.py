"""Standard input, output and error as they are: closed, full, left by the reader, or not UTF-8."""

import codecs
import io
import os
import sys
from contextlib import suppress
from typing import TextIO

# What stands for the signs that commands print where the encoding of a stream has none of them.
ASCII = {
    "±": "+/-", "…": "...", "≥": ">=", "≤": "<=", "−": "-", "‖": "||", "²": "^2", "₁": "_1",
    "\u00a0": " ", "Δ": "D", "Σ": "sum", "∫": "integral", "∂": "d", "α": "alpha", "β": "beta",
}  # fmt: skip
FALLBACK = "vae_cli_ascii"


class OutputError(OSError):
    """Standard output takes no more: its disk is full, say."""


class Output(io.FileIO):
    """A file that says once, by OutputError, that it takes no more, and then drops everything."""

    is_lost = False

    def write(self, data: object) -> int:
        """Writes; returns the number of bytes."""
        if self.is_lost:
            return len(memoryview(data))  # type: ignore[arg-type]
        try:
            return super().write(data)  # type: ignore[arg-type]
        except BrokenPipeError:
            raise
        except OSError as error:
            self.is_lost = True
            raise OutputError(error.errno, error.strerror) from error


class Lossy(io.FileIO):
    """A file that takes everything, and drops what cannot be written."""

    def write(self, data: object) -> int:
        """Writes what can be written; returns the length of all."""
        with suppress(OSError):
            return super().write(data)  # type: ignore[arg-type]
        return len(memoryview(data))  # type: ignore[arg-type]


def prepare_streams() -> None:
    """Makes the standard streams usable whatever the caller did with them.

    Closed ones (``>&-``) are opened, else the next file takes their place. Messages that nobody
    can read are dropped: the work continues. Streams that are not the process's own are left alone.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  as long as the process
    if sys.stdout is sys.__stdout__:
        sys.stdout = _as_text(Output(1, "wb", closefd=False), sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _as_text(Lossy(2, "wb", closefd=False), sys.stderr)


def ignore_output_errors() -> None:
    """Drops from here on what standard output does not take, in place of an exception."""
    if isinstance(getattr(getattr(sys.stdout, "buffer", None), "raw", None), Output):
        sys.stdout.flush()
        sys.stdout = _as_text(Lossy(1, "wb", closefd=False), sys.stdout)


def drop_output() -> None:
    """Sends standard output nowhere from here on."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _as_text(raw: io.FileIO, like: TextIO | None) -> TextIO:
    """A text stream as Python makes it, but with lines at once: a killed run has printed them."""
    encoding = "utf-8" if like is None else like.encoding
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, FALLBACK, line_buffering=True)


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    """Signs that an encoding does not have, and where to continue; unknown ones as ``\\xe9``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    known = (ASCII.get(s) or s.encode("ascii", "backslashreplace").decode("ascii") for s in signs)
    return "".join(known), error.end


codecs.register_error(FALLBACK, _in_ascii)
