"""Standard output and error of a program that goes on when nobody takes them."""

import io
import os
import sys
from typing import Any


class _Lossy(io.FileIO):
    """A stream that drops what cannot be written: the pipe is closed, or the disk is full."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def ignore_lost_output() -> None:
    """Has the program go on if its standard output or error is closed or full.

    A closed stream becomes the null device: else the next file to be opened would take its number,
    and receive what is printed. Lines are written as they come, so nothing is left to flush.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
            os.set_inheritable(number, True)
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)  # None where it was closed
        encoding, errors = (stream.encoding, stream.errors) if stream else ("utf-8", "replace")
        raw = io.BufferedWriter(_Lossy(number, "w", closefd=False))
        text = io.TextIOWrapper(raw, encoding=encoding, errors=errors, line_buffering=True)
        setattr(sys, name, text)
