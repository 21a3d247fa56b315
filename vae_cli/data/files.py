"""Where the files of datasets lie, how they come there, and what to tell when they don't."""

import http.client
import os
import pickle
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from vae_cli.data.fetching import LARGEST, copy
from vae_cli.data.opened import open_data, user_path
from vae_cli.errors import InvalidOption

T = TypeVar("T")

_fetches = ContextVar("fetches", default=True)
# What a failed download, a truncated archive or a file with other contents raises.
UNREADABLE = (
    OSError,  # URLError and read-only folders too
    RuntimeError,  # zipfile's word for a password
    ValueError,
    EOFError,
    LookupError,
    http.client.HTTPException,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    pickle.UnpicklingError,
)


def data_root(root: str | None) -> Path:
    """The folder with a folder for each dataset.

    It is ``root``, else ``$VAE_CLI_DATA``, else ``vae_cli`` in the user's cache.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return user_path("root", root or os.environ.get("VAE_CLI_DATA") or f"{cache}/vae_cli")


@contextmanager
def reading_only(wanted: bool) -> Iterator[None]:
    """Nothing is fetched meanwhile: the folder that it would go to is somebody else's word.

    Args:
        wanted: Else everything is as ever.
    """
    token = _fetches.set(not wanted)
    try:
        yield
    finally:
        _fetches.reset(token)


def is_there(path: Path) -> bool:
    """Whether something is there; not where that cannot be found out."""
    with suppress(OSError, ValueError):
        return path.exists()
    return False


@dataclass(frozen=True)
class Source:
    """The files of a dataset.

    Attributes:
        name: What people call the dataset.
        folder: Where its files belong, below the root.
        files: Names of the files as they are published.
        needs: What is read, paths below the root; not ``files`` where those are archives.
        url: Where the files can be had.
    """

    name: str
    folder: str
    files: Sequence[str]
    needs: Sequence[str]
    url: str


def obtain(
    source: Source, root: Path, fetch: Callable[[Path], object], read: Callable[[Path], T]
) -> T:
    """Reads a dataset, after fetching its files where some are not there.

    Args:
        source: The files.
        root: The folder of all datasets.
        fetch: Puts files below the folder that it is given. It finds there the published files
            that were below ``root`` already, and need only unpack those.
        read: Reads the files below the folder that it is given.
    """
    complete = all(is_there(root / name) for name in source.needs)
    if not complete and not _fetches.get():
        rule = f"the files of {source.name} have moved since the run"
        raise InvalidOption("root", root, rule, "Set {root}=FOLDER to their place.")
    try:
        if not complete:
            with _staging(root, [Path(source.folder, name) for name in source.files]) as folder:
                fetch(folder)
        return read(root)
    except UNREADABLE as error:
        trouble = "can't be read" if complete else "are not there and can't be fetched"
        first = f"Remove {root / Path(source.needs[0]).parent}, then put" if complete else "Put"
        reason = " ".join(str(error).split()) or type(error).__name__
        folder = root / source.folder
        raise InvalidOption(
            "root",
            root,
            f"the files of {source.name} {trouble} ({reason[:300]})",
            f"{first} {', '.join(source.files)} from {source.url} into {folder}.",
        ) from error


@contextmanager
def _staging(root: Path, published: Sequence[Path]) -> Iterator[Path]:
    """A passing folder below the root whose files move to the root once all are there.

    Nothing stays behind when something goes wrong. No other process sees half a file, nor, the
    first time, half a dataset.
    """
    made = [folder for folder in (root, *root.parents) if not is_there(folder)]
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=root) as name:
            stage = Path(name)
            for file in (file for file in published if is_there(root / file)):
                (stage / file).parent.mkdir(parents=True, exist_ok=True)
                with open_data(root / file) as there, (stage / file).open("xb") as staged:
                    copy(there.read, staged, LARGEST)
            yield stage
            _move(stage, root)
    finally:
        for folder in made:
            with suppress(OSError):  # not empty: the files arrived
                folder.rmdir()


def _move(source: Path, target: Path) -> None:
    """Moves a file or a folder in one go; into a folder that is there already, piece by piece."""
    if source.is_dir() and target.is_dir():
        for piece in sorted(source.iterdir()):
            _move(piece, target / piece.name)
    else:
        source.replace(target)
