"""Arrays from files of numpy's and Matlab's formats, which may be broken or made to harm.

What a file says of its size is held against the file and the machine before anything of that size
is allocated: a few kilobytes may unpack to more than any memory holds. Nothing is unpickled.
"""

import math
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from vae_cli.memory import in_words, machine_memory

Array = npt.NDArray[Any]

COPIES = 3  # of the arrays at worst: as read, as kept, and parted
# By the version of the format; later ones are for arrays with named fields, which are no images.
HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
MATLAB_NUMBERS = {"double": 16, "single": 8, "logical": 1}  # bytes at most: they may be complex
MATLAB_NUMBERS |= {f"{sign}int{bits}": bits // 4 for sign in ("", "u") for bits in (8, 16, 32, 64)}


def read_arrays(file: Path) -> dict[str, Array]:
    """The arrays of a file by name, ``array`` where it has no names.

    Args:
        file: Which ends in one of ``READERS``.

    Raises:
        ValueError: If it can't be read, or would not fit into memory.
    """
    try:
        return READERS[file.suffix](file)
    except MemoryError as error:
        raise ValueError("it needs more memory than there is") from error
    except Exception as error:  # numpy and scipy raise whatever the damage leads to
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from error


def _read_numpy(file: Path) -> dict[str, Array]:
    with file.open("rb") as opened:
        if opened.read(len(np.lib.format.MAGIC_PREFIX)) == np.lib.format.MAGIC_PREFIX:
            _check_fits([_declared(opened, file.stat().st_size)])
            return {"array": _read_array(opened)}
        with zipfile.ZipFile(opened) as archive:
            members = [m for m in archive.infolist() if m.filename.endswith(".npy")]
            sizes = []
            for member in members:
                with archive.open(member) as array:
                    sizes.append(_declared(array, member.file_size))
            _check_fits(sizes)
            found = {}
            for member in members:
                with archive.open(member) as array:
                    found[member.filename.removesuffix(".npy")] = _read_array(array)
            return found


def _declared(opened: IO[bytes], there: int) -> int:
    """Bytes of an array by its header, of which so many are said to be there."""
    opened.seek(0)
    version = np.lib.format.read_magic(opened)
    if version not in HEADERS:
        raise ValueError(f"version {version} of the format is not known")
    shape, _, dtype = HEADERS[version](opened)
    size = math.prod(shape) * dtype.itemsize
    if size > there and not dtype.hasobject:  # of objects it says nothing; they are refused
        raise ValueError(f"it should hold {in_words(size)}, but ends after {in_words(there)}")
    return size


def _read_array(opened: IO[bytes]) -> Array:
    opened.seek(0)
    array: Array = np.lib.format.read_array(opened, allow_pickle=False)
    return array


def _read_mat(file: Path) -> dict[str, Array]:
    from scipy.io import loadmat, whosmat  # slow to import, and few files are Matlab's
    from scipy.io.matlab import MatReadError

    try:
        sizes = {
            name: math.prod(shape) * MATLAB_NUMBERS[kind]
            for name, shape, kind in whosmat(file)
            if kind in MATLAB_NUMBERS
        }
        _check_fits(sizes.values())
        contents: Mapping[str, Any] = loadmat(file, variable_names=list(sizes))
    except (MatReadError, NotImplementedError, TypeError) as error:
        raise ValueError(f"{error}; Matlab's save -v7 writes one that can be read") from error
    return {name: contents[name] for name in sizes}


def _check_fits(sizes: Iterable[int]) -> None:
    needed, there = COPIES * sum(sizes), machine_memory()
    if needed > there:
        raise ValueError(f"it takes {in_words(needed)}, and there are {in_words(there)} of memory")


READERS: dict[str, Callable[[Path], dict[str, Array]]] = {
    ".npy": _read_numpy,
    ".npz": _read_numpy,
    ".mat": _read_mat,
}
