"""Which folders are the parts of a set, and which are its classes."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from vae_cli.data.opened import is_folder
from vae_cli.data.parts import PART_OF, PARTS
from vae_cli.data.walk import is_hidden
from vae_cli.errors import InvalidOption, as_written

UNLABELLED = ("unlabeled", "unlabelled")  # folders that are no class


class Folders(NamedTuple):
    """The folders of the parts, and what the user should know of those beside them."""

    parts: dict[str, Path]
    notes: list[str]


def find_parts(root: str, folder: Path) -> Folders:
    """The folders of the parts; the folder itself as ``train`` if it holds no parts.

    Capitals do not matter, and ``val``, ``valid`` and ``dev`` mean ``validation``. One folder of
    such a name among others is a class like them.

    Args:
        root: The folder as the user calls it.
        folder: The folder.

    Raises:
        InvalidOption: If there are two folders for a part, or parts without ``train``.
    """
    below = _folders_below(root, folder)
    parts = dict[str, Path]()
    for path in below:
        part = PART_OF.get(path.name.lower())
        if part in parts:
            rule = f"holds two folders for {part}: {parts[part].name} and {path.name}"
            raise InvalidOption("root", root, rule, "Rename or remove one.")
        if part is not None:
            parts[part] = path
    others = [path.name for path in below if path not in parts.values()]
    if not parts or (len(parts) == 1 and others):
        notes = [f"{path.name} is a class, as are the folders beside it" for path in parts.values()]
        return Folders({"train": folder}, notes)
    if "train" not in parts:
        rule = f"holds the folder {', '.join(p.name for p in parts.values())} but not train"
        raise InvalidOption("root", root, rule, "Add it, or have none for a split by seed.")
    ignored = as_written(", ".join(sorted(others)))
    notes = [f"not read: {ignored}, beside the folders of the parts"] if others else []
    return Folders({part: parts[part] for part in PARTS if part in parts}, notes)


def with_classes(folder: Path, paths: Sequence[Path]) -> dict[Path, str]:
    """The images of a part, each with its class: empty where it has none."""
    below = {path: path.relative_to(folder).parts for path in paths}
    return {
        path: parts[0] if len(parts) > 1 and parts[0] not in UNLABELLED else ""
        for path, parts in below.items()
    }


def names_of_folders(root: str, found: Sequence[dict[Path, str]]) -> list[str]:
    """The classes of all parts, in alphabetic order.

    Raises:
        InvalidOption: If a name cannot be printed.
    """
    classes = sorted({name for part in found for name in part.values() if name})
    if odd := [name for name in classes if not name.isprintable()]:
        rule = f"holds a folder called {odd[0]!a}, which is not a name that can be printed"
        raise InvalidOption("root", root, rule, "Rename it.")
    return classes


def _folders_below(root: str, folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        rule = f"cannot be read ({error.strerror})"
        raise InvalidOption("root", root, rule, "Allow it, or name another folder.") from error
    return [path for path in entries if not is_hidden(path.name) and is_folder(path)]
