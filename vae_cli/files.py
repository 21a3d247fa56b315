"""Files that somebody else may have made, read as plain data.

A run's folder can come from anybody. Nothing in it is followed out of the folder, no file is read
without a limit, and nothing in a file is executed: a yaml gives texts, numbers, truth values, lists
and dictionaries, and nothing else.
"""

import json
import os
import stat
from collections.abc import Container
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from vae_cli.errors import VaeCliError

LARGEST_YAML = 1 << 18  # bytes; a run's configuration takes 3,000
LARGEST_JSON = 1 << 24  # bytes; the confusion of many classes takes some
LARGEST_TEXT = 1 << 20  # bytes of a command line's or an environment's record
DEEPEST = 40  # levels of lists and dictionaries within each other
MOST_ENTRIES = 1_000_000  # files below a folder
INTERPOLATION = "${"  # how OmegaConf would find a reference or a resolver in a text

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_READ = os.O_RDONLY | _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


class UnsafeFile(VaeCliError):  # noqa: N818  a clause for the caller's own error
    """A file that cannot be read safely: a clause, ``config.yaml is a symbolic link``."""


def check_tree(folder: Path, ignored: Container[str] = ()) -> None:
    """Checks that a folder holds regular files and folders only, at every depth.

    Args:
        folder: The folder.
        ignored: Names of files and folders that are not looked at, nor into.

    Raises:
        UnsafeFile: If the folder or something in it is a link, a device, a pipe or a socket, or if
            it cannot be listed.
    """
    if folder.is_symlink():
        raise UnsafeFile(f"is a symbolic link to {folder.readlink()}")
    left, count = [folder], 0
    while left:
        current = left.pop()
        try:
            with os.scandir(current) as entries:
                for entry in entries:
                    count += 1
                    if entry.name in ignored:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        left.append(Path(entry.path))
                    elif not entry.is_file(follow_symlinks=False) and os.path.lexists(entry):
                        # It was not removed meanwhile, as other commands' temporary files are.
                        kind = "a symbolic link" if entry.is_symlink() else "not a regular file"
                        place = Path(entry.path).relative_to(folder)
                        raise UnsafeFile(f"holds {place}, which is {kind}")
                    if count > MOST_ENTRIES:
                        raise UnsafeFile(f"holds more than {MOST_ENTRIES:,} files")
        except FileNotFoundError as error:
            if current == folder:
                raise UnsafeFile("is missing") from error  # below it, another command removed it
        except OSError as error:
            raise UnsafeFile(f"cannot be listed ({error.strerror})") from error


def open_regular(path: Path) -> BinaryIO:
    """Opens a regular file for reading; never a link, a device or a pipe.

    Raises:
        UnsafeFile: If it is not.
        FileNotFoundError: If it is missing.
        OSError: If it cannot be opened.
    """
    if path.is_symlink():
        raise UnsafeFile(f"{path.name} is a symbolic link")
    handle = os.open(path, _READ)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UnsafeFile(f"{path.name} is not a regular file")
    return os.fdopen(handle, "rb")


def read_bytes(path: Path, limit: int) -> bytes:
    """The content of a regular file of no more than ``limit`` bytes.

    Raises:
        UnsafeFile: If it is not regular, larger, or cannot be read.
    """
    try:
        with open_regular(path) as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise UnsafeFile(f"{path.name} cannot be read ({error.strerror})") from error
    if len(content) > limit:
        raise UnsafeFile(f"{path.name} has more than {limit:,} bytes")
    return content


def read_text(path: Path, limit: int = LARGEST_TEXT) -> str:
    """The text of a regular file, UTF-8.

    Raises:
        UnsafeFile: As ``read_bytes`` does, and if it is no text.
    """
    try:
        return read_bytes(path, limit).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnsafeFile(f"{path.name} is not UTF-8 text") from error


def read_json(path: Path, limit: int = LARGEST_JSON) -> dict[str, Any]:
    """The object that a JSON file holds. Whole numbers have 64 bits at most.

    Raises:
        UnsafeFile: If it cannot be read, or holds something else.
    """
    try:
        content = json.loads(read_text(path, limit), parse_constant=_refuse_constant)
        _check_plain(content)
    except (ValueError, RecursionError) as error:  # deeper than Python's own stack, too
        raise UnsafeFile(f"{path.name} is not JSON that can be read") from error
    if not isinstance(content, dict):
        raise UnsafeFile(f"{path.name} does not hold names with values")
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


class _PlainLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Knows texts, numbers, truth values and null; dates are texts."""


_PlainLoader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path, limit: int = LARGEST_YAML) -> Any:
    """What a yaml file of no more than ``limit`` bytes holds, see ``parse_yaml``.

    Raises:
        UnsafeFile: If it cannot be read, or is not plain.
    """
    return parse_yaml(read_text(path, limit), path.name, limit)


def parse_yaml(text: str, name: str, limit: int = LARGEST_YAML) -> Any:
    """Plain data of a yaml: texts, numbers, truth values, null, lists and dictionaries.

    Aliases (``*name``), tags (``!!python``), several documents, keys that are no text and more
    than 40 levels are refused. An interpolation (``${...}``) stays the text that it is.

    Args:
        text: The yaml.
        name: Of the file, for the message.
        limit: Characters at most.

    Raises:
        UnsafeFile: If it is not plain.
    """
    if len(text) > limit:
        raise UnsafeFile(f"{name} has more than {limit:,} characters")
    try:
        _check_events(text)
        content = yaml.load(text, Loader=_PlainLoader)
        _check_plain(content)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:120]
        raise UnsafeFile(f"{name} is not plain yaml ({reason})") from error
    return content


def _check_events(text: str) -> None:
    """Checks what only the source tells, before anything is built: aliases, tags and depth."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=_PlainLoader):
        documents += isinstance(event, yaml.DocumentStartEvent)
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("an alias")
        if getattr(event, "tag", None) not in (None, "!"):
            raise ValueError("a tag")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ValueError(f"more than {DEEPEST} levels")
        if documents > 1:
            raise ValueError("more than one document")


def _check_plain(node: Any, depth: int = 0) -> None:
    if depth > DEEPEST:
        raise ValueError(f"more than {DEEPEST} levels")
    if isinstance(node, dict):
        for key, child in node.items():
            if not isinstance(key, str):
                raise ValueError("a key that is no text")
            _check_plain(child, depth + 1)
    elif isinstance(node, list):
        for child in node:
            _check_plain(child, depth + 1)
    elif isinstance(node, int) and node.bit_length() > 63:
        raise ValueError("a number of more than 63 bits")
    elif node is not None and not isinstance(node, (str, int, float)):
        raise ValueError(f"a {type(node).__name__}")
