"""Standard input, output and error where nobody listens: closed, full, or a reader that has left."""

import io
import os
import sys
from contextlib import suppress
from typing import TextIO


class Lossy(io.FileIO):
    """A file that takes everything, and drops what cannot be written."""

    def write(self, data: object) -> int:
        """Writes what can be written; returns the length of all."""
        with suppress(OSError):
            return super().write(data)  # type: ignore[arg-type]
        return len(memoryview(data))  # type: ignore[arg-type]


def open_closed() -> None:
    """Opens standard streams that the caller closed (``>&-``), so that no file takes their place."""
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
    if sys.stdout is None:
        sys.stdout = lossy(1)
    if sys.stderr is None:
        sys.stderr = lossy(2)


def lossy(number: int) -> TextIO:
    """A text stream to a file descriptor that never fails for want of a reader or of room."""
    buffered = io.BufferedWriter(Lossy(number, "wb", closefd=False))
    return io.TextIOWrapper(buffered, "utf-8", "backslashreplace", line_buffering=True)


def output_fails() -> str:
    """Why standard output does not take what was printed; empty where it does.

    What it does not take is dropped, else Python would try again when the process ends.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        drop_output()
        return error.strerror or type(error).__name__
    return ""


def drop_output() -> None:
    """Sends standard output nowhere from here on."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
