"""Files that the user names or keeps in a data folder, opened without any surprise.

A link is followed, because the user made it. What it leads to has to be a regular file: a pipe, a
socket or a device would block, or never end.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError, features

from vae_cli.errors import InvalidOption, VaeCliError
from vae_cli.files import UnsafeFile, open_regular

MOST_PIXELS = 80_000_000  # of one image; PIL warns a little above
# PIL chooses a decoder by content. Others start programs (EPS) or are not documented here.
SUFFIXES_OF = {
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "JPEG": (".jpeg", ".jpg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "PPM": (".pbm", ".pgm", ".ppm"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    # PIL has these where it was built with their libraries.
    **({"AVIF": (".avif",)} if features.check("avif") else {}),
    **({"JPEG2000": (".jp2", ".j2k")} if features.check("jpg_2000") else {}),
}
FORMATS = tuple(SUFFIXES_OF)
SUFFIXES = frozenset(suffix for suffixes in SUFFIXES_OF.values() for suffix in suffixes)

_noted: list[list[str]] = []  # where the paths of opened files are kept


@contextmanager
def noting_files() -> Iterator[list[str]]:
    """Keeps the paths of the files that are opened meanwhile, by any thread."""
    paths: list[str] = []
    _noted.append(paths)
    try:
        yield paths
    finally:
        _noted[:] = [others for others in _noted if others is not paths]


def user_path(key: str, text: str) -> Path:
    """A path as the user writes it, with ``~`` expanded.

    Args:
        key: Where it is set, as on the command line.
        text: The path.

    Raises:
        InvalidOption: If it names the home folder of an unknown user.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        rule = "names the home folder of an unknown user"
        raise InvalidOption(key, text, rule, "Write the whole path.") from error


def is_folder(path: Path) -> bool:
    """Whether a path leads to a folder; not where that cannot be found out."""
    with suppress(OSError, ValueError):
        return path.is_dir()
    return False


def open_data(path: Path) -> BinaryIO:
    """Opens a regular file, or what a link to one leads to, for reading.

    Raises:
        OSError: If it cannot be opened.
        ValueError: If it is not a regular file.
    """
    try:
        if path.is_symlink():
            path = Path(os.path.realpath(path, strict=True))
        for paths in _noted:
            paths.append(str(path.absolute()))
        return open_regular(path)
    except UnsafeFile as error:
        raise ValueError(str(error)) from error


@contextmanager
def open_image(path: Path, formats: Sequence[str] = FORMATS) -> Iterator[Image.Image]:
    """An image of a few formats, whatever its name ends in.

    Args:
        path: The file.
        formats: PIL's names of the formats that are allowed.

    Raises:
        ValueError: If it cannot be read, or proves broken while it is used.
    """
    try:
        with open_data(path) as file, Image.open(file, formats=list(formats)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"it has more than {MOST_PIXELS:,} pixels")
            yield image
    except VaeCliError:
        raise
    except UnidentifiedImageError as error:
        raise ValueError(f"its content is not one of {', '.join(formats)}") from error
    except Exception as error:  # PIL raises whatever the damage leads to
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ValueError(reason or type(error).__name__) from error
