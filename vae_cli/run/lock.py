"""A file that one process at a time holds."""

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vae_cli.files import UnsafeFile

LOOK = 0.05  # seconds between attempts
_LOCK = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class Held(Exception):  # noqa: N818  a state, not a failure
    """Another process holds the file: what that one wrote into it."""


@contextmanager
def locked(path: Path, seconds: float, holder: str) -> Iterator[None]:
    """Holds a file; a process that has died holds nothing.

    Args:
        path: Of the file, which is made if it is missing. Never a link, for it is written into.
        seconds: How long to wait for another process.
        holder: Who holds it, for the others to read.

    Raises:
        Held: If another process holds it all the time.
        UnsafeFile: If it is not regular, or has a second name elsewhere.
        OSError: If it cannot be opened or locked.
    """
    handle = os.open(path, _LOCK, 0o666)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            raise UnsafeFile(f"{path.name} is not a regular file of one name")
        _lock(handle, time.monotonic() + seconds)
        os.ftruncate(handle, 0)
        os.pwrite(handle, holder.encode("utf-8"), 0)
        yield
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)  # closing alone would not do where a child has a copy
        os.close(handle)


def _lock(handle: int, until: float) -> None:
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until:
                text = os.pread(handle, 200, 0).decode("utf-8", errors="replace")
                raise Held(text.strip() or "another process") from error
        time.sleep(LOOK)
