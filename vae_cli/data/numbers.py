"""Arrays from files of numpy's and Matlab's formats, which may be broken or made to harm.

What a file says of its size is held against the file and the machine before anything of that size
is allocated: a few kilobytes may unpack to more than any memory holds. Nothing is unpickled.
"""

import io
import math
import os
import zipfile
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
import numpy.typing as npt

from vae_cli.data.matlab import read_mat
from vae_cli.data.opened import open_data
from vae_cli.errors import VaeCliError, as_written
from vae_cli.memory import as_bytes, machine_memory

Array = npt.NDArray[Any]

COPIES = 3  # of the arrays at worst: as read, as kept, and split
# By the version of the format; later ones are for arrays with named fields, which are no images.
HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
LONGEST_HEADER = 10_000  # characters, numpy's own limit, which it holds against them too late
ZIP = b"PK"  # how an .npz begins
MOST_ARRAYS = 10_000  # of one file
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # numpy's; others inflate without a limit


def read_arrays(file: Path) -> dict[str, Array]:
    """The arrays of a file by name, ``array`` where it has no names.

    An array of Python objects in an archive is given as an empty one.

    Args:
        file: Which ends in one of ``READERS``.

    Raises:
        ValueError: If it can't be read, or would not fit into memory.
    """
    try:
        with open_data(file) as opened:
            return READERS[file.suffix](opened)
    except VaeCliError:
        raise
    except MemoryError as error:
        raise ValueError("it needs more memory than there is") from error
    except Exception as error:  # numpy and scipy raise whatever the damage leads to
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(as_written(reason)) from error


def _read_numpy(opened: BinaryIO) -> dict[str, Array]:
    there = opened.seek(0, os.SEEK_END)
    opened.seek(0)
    if opened.read(len(np.lib.format.MAGIC_PREFIX)) == np.lib.format.MAGIC_PREFIX:
        _check_fits([_declared(opened, there) or 0])
        return {"array": _read_array(opened)}
    opened.seek(0)
    if opened.read(len(ZIP)) != ZIP:
        raise ValueError("it does not begin like a .npy file" if there else "it is empty")
    with zipfile.ZipFile(opened) as archive:
        members = {
            m.filename.removesuffix(".npy"): m
            for m in archive.infolist()
            if m.filename.endswith(".npy")
        }
        _check_members(archive.infolist(), members)
        sizes = {}
        for name, member in members.items():
            with archive.open(member) as array:
                sizes[name] = _declared(array, member.file_size)
        _check_fits(size or 0 for size in sizes.values())
        found = {}
        for name, member in members.items():
            with archive.open(member) as array:
                is_read = sizes[name] is not None
                found[name] = _read_array(array) if is_read else np.empty(0, object)
        return found


def _check_members(every: Sequence[zipfile.ZipInfo], arrays: Collection[str]) -> None:
    """Checks an archive's members before any of them is inflated."""
    if len(every) > MOST_ARRAYS:
        raise ValueError(f"it holds more than {MOST_ARRAYS:,} arrays")
    if len(arrays) < sum(member.filename.endswith(".npy") for member in every):
        raise ValueError("it holds two arrays of one name")
    if any(member.compress_type not in PACKED for member in every):
        raise ValueError("it is not compressed the way numpy does")


def _declared(opened: IO[bytes], there: int) -> int | None:
    """Bytes of an array by its header; None for pickled objects, which are not read.

    Args:
        opened: The array.
        there: Bytes that the file or the archive says are there.
    """
    opened.seek(0)
    start = io.BytesIO(opened.read(LONGEST_HEADER))  # its length, too, is only what it says
    version = np.lib.format.read_magic(start)
    if version not in HEADERS:
        raise ValueError(f"version {version} of the format is not known")
    shape, _, dtype = HEADERS[version](start)
    if min(shape, default=0) < 0:
        raise ValueError(f"it declares the shape {shape}")
    size = math.prod(shape) * max(dtype.itemsize, 1)  # empty texts take no bytes, but time
    if dtype.hasobject:
        return None
    if size > there:
        raise ValueError(f"it should hold {as_bytes(size)}, but ends after {as_bytes(there)}")
    return size


def _read_array(opened: IO[bytes]) -> Array:
    opened.seek(0)
    array: Array = np.lib.format.read_array(opened, allow_pickle=False)
    return array


def _read_mat(opened: BinaryIO) -> dict[str, Array]:
    return read_mat(opened, _check_fits, MOST_ARRAYS)


def _check_fits(sizes: Iterable[int]) -> None:
    needed, there = COPIES * sum(sizes), machine_memory()
    if needed > there:
        raise ValueError(f"it takes {as_bytes(needed)}, and there are {as_bytes(there)} of memory")


READERS: dict[str, Callable[[BinaryIO], dict[str, Array]]] = {
    ".npy": _read_numpy,
    ".npz": _read_numpy,
    ".mat": _read_mat,
}
