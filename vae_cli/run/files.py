"""Folders and files that are made whole, or not at all."""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from vae_cli.errors import ConfigError, shell_word
from vae_cli.files import UnsafeFile, check_tree, open_regular
from vae_cli.folders import replaced

if TYPE_CHECKING:
    import numpy as np

BEGINNING = 1 << 14  # bytes of a file in which a mark is looked for
ELSEWHERE = "Name another: output=SOME_NEW_NAME."


def new_folder(wanted: str, is_named: bool, key: str = "hydra.run.dir") -> Path:
    """Makes a folder that was not there.

    Args:
        wanted: Its path.
        is_named: Whether the user named it; else it is numbered if another one has the name.
        key: Which names it.
    """
    path, number = Path(wanted), 1
    while True:
        try:
            path.mkdir(parents=True)  # atomic: two runs that start at once get two folders
            break
        except FileExistsError as error:
            if is_named and not _is_unbegun(path):
                rule = "is there already"
                resume = f", or try vae-train resume={shell_word(path)} if it is a run"
                remedy = f"Name a new one{resume if key != 'output' else ''}."
                raise ConfigError(key, path, rule, remedy) from error
            if is_named:
                check_no_links(key, path)
                break
            number += 1
            path = Path(f"{wanted}_{number}")
        except OSError as error:
            rule = f"can't be made ({error.strerror})"
            remedy = f"Try {key}=SOME_WRITABLE_FOLDER."
            raise ConfigError(key, path, rule, remedy) from error
    return path


def check_no_links(key: str, path: Path, ignored: Container[str] = ()) -> None:
    """Checks that nothing leads out of a folder that is to be opened, see ``check_tree``.

    Args:
        key: Which the user gave the folder to.
        path: Of the folder.
        ignored: Names that are not looked at.
    """
    try:
        check_tree(path, ignored)
    except UnsafeFile as error:
        remedy = "Replace it with a regular file, or remove it."
        if path.is_symlink():
            remedy = f"Try {key}={path.resolve()}."
        raise ConfigError(key, path, str(error), remedy) from error


def check_writable(key: str, path: Path, remedy: str) -> None:
    """Checks that files can be written into a folder, before there is work to lose.

    Args:
        key: Which the user gave the folder to.
        path: Of the folder.
        remedy: What to do else.
    """
    try:
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        rule = f"nothing can be written there ({error.strerror})"
        raise ConfigError(key, path, rule, remedy) from error


def _is_unbegun(path: Path) -> bool:
    """Whether nothing is in a folder, or what a run leaves that was killed at its very start."""
    skeleton = {"checkpoints", "figures", "lock", "output.txt", "error.txt", "job.json"}
    return path.is_dir() and all(
        child.name in skeleton and not (child.is_dir() and any(child.iterdir()))
        for child in path.iterdir()
    )


def sha256_of(path: Path) -> str:
    """SHA-256 of a regular file, in hexadecimal digits."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # it reads


def place_of_output(
    path: Path, is_ours: Callable[[Path], bool], kind: str, own_name: str = ""
) -> Path:
    """Where an output goes that the user names: the folders on the way there may be links.

    It may replace an earlier output of its kind, and nothing else. The folder of a run takes only
    what has its own name there.

    Args:
        path: As the user named it.
        is_ours: Whether what is at a place is an earlier output of the same kind.
        kind: What it is, for the message.
        own_name: In the folder of a run.

    Raises:
        ConfigError: If it would go anywhere else, or replace anything else.
    """
    place = path.parent.resolve() / path.name
    above = next((p for p in place.parents if (p / "overrides.yaml").is_file()), None)
    if above is not None and (above, own_name) != (place.parent, place.name):
        raise ConfigError("output", path, f"is within the run {above}", ELSEWHERE)
    check_replaced(path, is_ours, kind)
    return place


def check_replaced(path: Path, is_ours: Callable[[Path], bool], kind: str) -> None:
    """Checks that an output replaces nothing, or an earlier output of its kind."""
    if os.path.lexists(path) and not is_ours(path):
        what = "a folder" if path.is_dir() else "there already"
        raise ConfigError("output", path, f"is {what}, and not {kind}", ELSEWHERE)


def begins_like(path: Path, mark: re.Pattern[bytes]) -> bool:
    """Whether a mark is found in the beginning of a regular file."""
    try:
        with open_regular(path) as file:
            return mark.search(file.read(BEGINNING)) is not None
    except (UnsafeFile, OSError):
        return False


def write_text(path: Path, text: str) -> None:
    """Writes a text, whole or not at all."""
    with replaced(path) as file:
        file.write(text.encode("utf-8"))


def save_yaml(path: Path, config: DictConfig | ListConfig) -> None:
    """Writes a configuration, whole or not at all."""
    write_text(path, OmegaConf.to_yaml(config))


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a file of numbers, whole or not at all."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def write_arrays(path: Path, arrays: "Mapping[str, np.ndarray]") -> None:
    """Writes arrays by name, whole or not at all."""
    import numpy as np  # slow to import, and many commands write none

    with replaced(path) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # the stubs take it for an option
