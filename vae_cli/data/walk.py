"""The images below a folder of the user, whatever links and special files lie among them."""

import errno
import os
import stat
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from vae_cli.data.opened import SUFFIXES
from vae_cli.errors import InvalidOption, as_written

DEEPEST = 100  # folders within each other
MOST_ENTRIES = 20_000_000  # files and folders
# Folders that programs leave: their images are copies or previews.
SYSTEM_FOLDERS = frozenset(("__MACOSX", "__pycache__", "@eaDir", "lost+found", "$RECYCLE.BIN"))
# Files that stand beside images without being any.
COMPANIONS = frozenset(
    ("", ".csv", ".db", ".htm", ".html", ".ini", ".json", ".log", ".md", ".npy", ".npz", ".pdf",
     ".py", ".rst", ".sh", ".txt", ".xml", ".yaml", ".yml", ".zip")
)  # fmt: skip


class _Folder(NamedTuple):
    part: int
    path: str
    depth: int


class _LinkedFile(NamedTuple):
    part: int
    path: str
    target: Path
    above: tuple[int, int]


class Found(NamedTuple):
    """What a folder holds.

    Attributes:
        images: The files of each part, in order.
        left_out: The number of files that may be images and are not read, by suffix.
    """

    images: dict[str, list[Path]]
    left_out: Counter[str]


def is_hidden(name: str) -> bool:
    """Whether a file or folder is left out by its name."""
    return name.startswith(".") or name in SYSTEM_FOLDERS


def find_images(root: str, parts: Mapping[str, Path]) -> Found:
    """The images below the folder of each part, in order.

    Links to folders and files are followed. Each folder is read once, and a link to an image that
    is already found is left out: no image is in two parts, and a link to a folder above ends at
    once. A folder's own place counts before a link to it, then the first part and the first link
    by name. Hidden files and folders are left out, and those that programs leave behind.

    Args:
        root: The folder as the user calls it.
        parts: Folders by the name of the part.

    Raises:
        InvalidOption: If a folder cannot be read, if an image is not a regular file, or if there
            are too many folders within each other or too many files.
    """
    walk = _Walk(root, len(parts))
    pending = [_Folder(part, str(path), 0) for part, path in enumerate(parts.values())][::-1]
    while pending:
        while pending:
            pending += walk.list_folder(pending.pop())
        pending, walk.linked_folders = sorted(walk.linked_folders)[::-1], []
    walk.add_linked_files()
    images = {part: sorted(paths) for part, paths in zip(parts, walk.found, strict=True)}
    return Found(images, walk.left_out)


def _is_image(name: str) -> bool:
    return Path(name).suffix.lower() in SUFFIXES and not is_hidden(name)


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


class _Walk:
    """What is found on the way."""

    def __init__(self, root: str, parts: int) -> None:
        self.root, self.count = root, 0
        self.found: list[list[Path]] = [[] for _ in range(parts)]
        self.left_out = Counter[str]()
        self.seen: set[tuple[int, int]] = set()  # folders
        self.linked_folders: list[_Folder] = []
        self.linked_files: list[_LinkedFile] = []

    def wrong(self, path: str, rule: str, remedy: str) -> InvalidOption:
        return InvalidOption("root", self.root, f"holds {as_written(path)}, {rule}", remedy)

    def list_folder(self, folder: _Folder) -> list[_Folder]:
        """Notes the images of a folder that is new, and gives its real sub-folders."""
        below = []
        try:
            if (identity := _identity(Path(folder.path))) in self.seen:
                return []
            self.seen.add(identity)
            with os.scandir(folder.path) as entries:
                for entry in entries:
                    self.count += 1
                    if is_hidden(entry.name):
                        continue
                    if entry.is_symlink():
                        self.follow(entry, folder)
                    elif entry.is_dir():
                        below.append(_Folder(folder.part, entry.path, folder.depth + 1))
                    elif _is_image(entry.name):
                        self.check_regular(entry.path, entry.is_file())
                        self.found[folder.part].append(Path(entry.path))
                    else:
                        self.note_left_out(entry.name)
        except OSError as error:
            rule = f"a folder that cannot be read ({error.strerror})"
            raise self.wrong(folder.path, rule, "Allow it, or remove the folder.") from error
        if below and folder.depth >= DEEPEST:
            rule = f"where folders are nested more than {DEEPEST} deep"
            raise self.wrong(folder.path, rule, "Move the images up.")
        if self.count > MOST_ENTRIES:
            rule = f"after more than {MOST_ENTRIES:,} other files"
            raise self.wrong(folder.path, rule, "Name a smaller folder.")
        return below

    def follow(self, entry: "os.DirEntry[str]", folder: _Folder) -> None:
        """Puts a link aside until everything is found that needs no link."""
        try:
            mode = entry.stat().st_mode
            target = Path(entry.path).resolve(strict=True)
            above = _identity(target.parent)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ELOOP) and not _is_image(entry.name):
                return  # a link to nothing, by whose name it is not an image either
            rule = f"a link that cannot be followed ({error.strerror})"
            raise self.wrong(entry.path, rule, "Repair or remove it.") from error
        if stat.S_ISDIR(mode):
            self.linked_folders.append(_Folder(folder.part, entry.path, folder.depth + 1))
        elif _is_image(entry.name):
            self.check_regular(entry.path, stat.S_ISREG(mode))
            self.linked_files.append(_LinkedFile(folder.part, entry.path, target, above))

    def note_left_out(self, name: str) -> None:
        """Counts a file that may be an image of another format."""
        if (suffix := Path(name).suffix.lower()) not in COMPANIONS:
            self.left_out[suffix] += 1

    def check_regular(self, path: str, is_regular: bool) -> None:
        if not is_regular:
            raise self.wrong(path, "which is not a regular file", "Remove it.")

    def add_linked_files(self) -> None:
        """Adds the files that links lead to, but those that are found under another name."""
        targets = set[Path]()
        for file in sorted(self.linked_files):
            is_found = file.above in self.seen and _is_image(file.target.name)
            if not is_found and file.target not in targets:
                targets.add(file.target)
                self.found[file.part].append(Path(file.path))
