"""Folders, and files that are written in them without following links."""

import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from vae_cli.errors import ConfigError
from vae_cli.files import UnsafeFile

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NO_FOLLOW
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_FOLLOW
_ADD = os.O_WRONLY | os.O_APPEND | os.O_CREAT | _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0)
_THERE = os.O_RDONLY | _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0)
_LEFT_OVER = re.compile(r"\..+\.[0-9a-f]{12}\.new", re.DOTALL)  # see ``new_name``
_NAME = re.compile(r"[\w.+=-]{1,100}")


@contextmanager
def opened_folder(path: Path) -> Iterator[int]:
    """A descriptor of a folder: a name that is used with it cannot lead elsewhere.

    Raises:
        OSError: If it cannot be opened, or is a link.
    """
    folder = os.open(path, _FOLDER)
    try:
        yield folder
    finally:
        os.close(folder)


def new_name(name: str) -> str:
    """A temporary name, which nobody else uses, for a file that takes the name ``name`` later."""
    return f".{name}.{secrets.token_hex(6)}.new"


def open_new(name: str, folder: int) -> BinaryIO:
    """Makes a file and opens it for writing. A lock on it shows that its writer is alive.

    Args:
        name: Of the file, which must not exist, see ``new_name``.
        folder: See ``opened_folder``.

    Raises:
        OSError: If it cannot be made, or is there already.
    """
    while True:
        handle = os.open(name, _NEW, 0o666, dir_fd=folder)
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:  # else somebody removed it before the lock was on it
            return cast(BinaryIO, os.fdopen(handle, "w+b"))
        os.close(handle)


def remove_left_over(path: Path) -> None:
    """Removes from a folder the temporary files that killed processes have left there."""
    with opened_folder(path) as folder:
        for name in filter(_LEFT_OVER.fullmatch, os.listdir(folder)):  # noqa: PTH208  a descriptor
            with suppress(OSError):
                handle = os.open(name, _THERE, dir_fd=folder)
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.unlink(name, dir_fd=folder)
                finally:
                    os.close(handle)


def make_folder(path: Path) -> None:
    """Makes a folder in one that is there, unless it is there already; a link does not count.

    Raises:
        OSError: If it cannot be made, or something else has its name.
    """
    try:
        path.mkdir()
    except FileExistsError:
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise


def check_name(key: str, name: str) -> None:
    """Checks that a text can be the name of a file, or a part of it.

    Args:
        key: Of which it is the value, for the message.
        name: The text.

    Raises:
        ConfigError: If it has separators, control characters or spaces, or leads to a folder above.
    """
    if not _NAME.fullmatch(name) or not name.strip("."):
        rule = "names files, which takes 1 to 100 of letters, digits and _ . + = -"
        raise ConfigError(key, name, rule, "Rename it.")


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the name ``path`` in the end: whole, or not at all.

    It is new, has a name that nobody else uses, and is made in the folder itself, which must not be
    a link. A link called ``path`` is replaced; what it points to is left alone.
    """
    name = new_name(path.name)
    with opened_folder(path.parent) as folder:
        try:
            with open_new(name, folder) as file:
                yield file
            os.replace(name, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException as error:
            with suppress(OSError):
                os.unlink(name, dir_fd=folder)
            if isinstance(error, OSError) and error.filename in (None, name):
                error.filename = os.fspath(path)  # a full disk does not say which file it is about
            raise


def open_to_append(path: Path) -> TextIO:
    """Opens a regular file for adding text; it is made if it is missing. Never through a link.

    Raises:
        OSError: If it cannot be written, or is a link.
        UnsafeFile: If it is not regular, or has a second name elsewhere.
    """
    file = os.fdopen(os.open(path, _ADD, 0o666), "a", encoding="utf-8", newline="")
    found = os.fstat(file.fileno())
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        file.close()
        raise UnsafeFile(f"{path.name} is not a regular file of one name")
    return file


def append_text(path: Path, text: str) -> None:
    """Adds text to a regular file, see ``open_to_append``.

    Raises:
        OSError: If it cannot be written, or is a link.
        UnsafeFile: If it is not regular, or has a second name elsewhere.
    """
    try:
        with open_to_append(path) as file:
            file.write(text)
    except OSError as error:
        error.filename = os.fspath(path)
        raise
