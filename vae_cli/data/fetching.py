"""Published files over the network: of known size, over http or https, and unpacked with care."""

import hashlib
import stat
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

TIMEOUT = 20.0  # seconds without a byte until a download is given up
LARGEST = 1 << 28  # bytes of a download; the largest has 170 million
UNPACKED = 1 << 29  # bytes that an archive unpacks to
MOST_MEMBERS = 100_000  # of an archive; Omniglot has 33,000
CHUNK = 1 << 20

HANDLERS = (  # for http alone: another scheme is unknown, in a redirect too
    urllib.request.ProxyHandler, urllib.request.UnknownHandler, urllib.request.HTTPHandler,
    urllib.request.HTTPSHandler, urllib.request.HTTPDefaultErrorHandler,
    urllib.request.HTTPRedirectHandler, urllib.request.HTTPErrorProcessor,
)  # fmt: skip


def download(urls: Sequence[str], path: Path, checksum: str | None = None) -> None:
    """Fetches one file, unless it is there with the right checksum.

    Args:
        urls: Where it is; the first that works is taken.
        path: Where it goes; its folder is made.
        checksum: What its contents must hash to, ``md5:...`` or ``sha256:...``.

    Raises:
        OSError: If no address gives the file.
    """
    if path.is_file() and checksum == _checksum(path, checksum):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    reasons = []
    for url in urls:
        try:
            with path.open("wb") as file:
                _copy_from(url, file)
            if checksum not in (None, found := _checksum(path, checksum)):
                raise OSError(f"{url} has the checksum {found}, not {checksum}")
            return
        except OSError as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()  # it holds the connection
            reasons.append(error)
    raise OSError("; ".join(map(str, reasons))) from reasons[-1]


def _copy_from(url: str, file: IO[bytes]) -> None:
    opener = urllib.request.OpenerDirector()
    for handler in HANDLERS:
        opener.add_handler(handler())
    opener.addheaders = [("User-Agent", "vae-cli")]
    with opener.open(url, timeout=TIMEOUT) as response:
        if (response.length or 0) > LARGEST:
            raise OSError(f"{url} has {response.length:,} bytes, more than {LARGEST:,}")
        copy(response.read, file, LARGEST)
    if response.length:  # a connection that closes early raises nothing
        raise OSError(f"{url} ended {response.length} bytes early")


def _checksum(path: Path, like: str | None) -> str:
    """The checksum of a file, by the same method as another's."""
    method = (like or "sha256:").partition(":")[0]
    with path.open("rb") as file:
        return f"{method}:{hashlib.file_digest(file, method).hexdigest()}"


def copy(read: Callable[[int], bytes], target: IO[bytes], limit: int) -> int:
    """Copies what can still be read of a file, and gives its length.

    Raises:
        OSError: If it is longer than ``limit`` bytes, of which no more are written.
    """
    size = 0
    while chunk := read(min(CHUNK, limit - size + 1)):
        size += len(chunk)
        if size > limit:
            raise OSError(f"it has more than {limit:,} bytes")
        target.write(chunk)
    return size


def unpack(archive: Path, folder: Path, limit: int = UNPACKED) -> None:
    """Unpacks a ``.zip`` or ``.tar.gz`` into a folder. All files are new.

    Args:
        archive: The file.
        folder: Where its members go.
        limit: Bytes of all members together.

    Raises:
        OSError: If a member leads out of the folder, is not a file or a folder, or is there, or if
            the members are larger than they declare, larger than ``limit`` or too many.
    """
    left, count = limit, 0
    with archive.open("rb") as opened:
        for name, size, content in _members(archive.name, opened):
            count += 1
            if count > MOST_MEMBERS:
                raise OSError(f"{archive.name} holds more than {MOST_MEMBERS:,} files")
            target = folder / _inner(archive.name, name)
            if content is None:
                target.mkdir(parents=True, exist_ok=True)
                continue
            if size > left:
                raise OSError(f"{archive.name} unpacks to more than {limit:,} bytes")
            target.parent.mkdir(parents=True, exist_ok=True)
            with content, target.open("xb") as file:
                left -= copy(content.read, file, size)


def _members(name: str, opened: IO[bytes]) -> Iterator[tuple[str, int, IO[bytes] | None]]:
    """Name, size and content of each member; folders have no content."""
    if name.endswith(".zip"):
        with zipfile.ZipFile(opened) as zipped:
            for info in zipped.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise OSError(f"{name} holds {info.filename}, which is not a file")
                yield info.filename, info.file_size, None if info.is_dir() else zipped.open(info)
    else:
        with tarfile.open(fileobj=opened, mode="r|gz") as tar:
            for member in tar:
                if not (member.isreg() or member.isdir()):
                    raise OSError(f"{name} holds {member.name}, which is not a file")
                yield member.name, member.size, tar.extractfile(member)


def _inner(archive: str, name: str) -> PurePosixPath:
    """A member's path, which stays within the folder on every system."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or PureWindowsPath(name).anchor or "\\" in name:
        raise OSError(f"{archive} holds {name!a}, which leads out of its folder")
    return path
