"""What Matlab's files declare, checked before scipy reads them.

scipy takes every length in a file at its word: a few megabytes inflate to gigabytes before the
first array is known, and a negative length leads it round in a circle.
"""

import math
import struct
import zlib
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

import numpy.typing as npt

Array = npt.NDArray[Any]

NUMBERS = {"double": 16, "single": 8, "logical": 1}  # bytes at most: they may be complex
NUMBERS |= {f"{sign}int{bits}": bits // 4 for sign in ("", "u") for bits in (8, 16, 32, 64)}

HEAD = 128  # bytes before the first element
COMPRESSED = 15  # the type of an element
CHUNK = 1 << 16
PADDING = 64  # bytes that may follow an array


def read_mat(
    file: BinaryIO, check_fits: Callable[[Iterable[int]], None], most: int
) -> dict[str, Array]:
    """The arrays of numbers by name.

    Args:
        file: Of Matlab's version 4 to 7.
        check_fits: Raises ValueError where arrays of so many bytes need too much memory.
        most: Number of arrays at most.

    Raises:
        ValueError: If it is of another version, or declares what cannot be.
        Exception: Whatever scipy raises for a damaged file.
    """
    from scipy.io import loadmat, whosmat  # slow to import, and few files are Matlab's
    from scipy.io.matlab import MatReadError

    head = file.read(HEAD)
    if 0 in head[:4]:
        _check_version_4(file, head)
    else:
        check_fits(_compressed_sizes(file, "<" if head[126:] == b"IM" else ">"))
    file.seek(0)
    try:
        found = [(name, shape, kind) for name, shape, kind in whosmat(file) if kind in NUMBERS]
        names = [name for name, _, _ in found]
        if len(names) > most:
            raise ValueError(f"it holds more than {most:,} arrays")
        if len(set(names)) < len(names):
            raise ValueError("it holds two arrays of one name")
        if any(length < 0 for _, shape, _ in found for length in shape):
            raise ValueError("it declares an array of negative length")
        check_fits(math.prod(shape) * NUMBERS[kind] for _, shape, kind in found)
        file.seek(0)
        contents = loadmat(file, variable_names=names)
    except (MatReadError, NotImplementedError, TypeError) as error:
        raise ValueError(f"{error}; Matlab's save -v7 writes one that can be read") from error
    return {name: contents[name] for name in names}


def _check_version_4(file: BinaryIO, head: bytes) -> None:
    """Checks the lengths of a file of version 4, which compresses nothing."""
    first = head[:4].ljust(4, b"\0")
    order = "<" if 0 <= struct.unpack("<i", first)[0] <= 5000 else ">"
    widths = (8, 4, 4, 2, 2, 1)  # bytes of a number, by a digit of the type
    end, at = file.seek(0, 2), 0
    while at < end:
        file.seek(at)
        header = file.read(20)
        if len(header) < 20:
            raise ValueError("it ends within a header")
        kind, rows, columns, is_complex, name = struct.unpack(f"{order}5i", header)
        if min(kind, rows, columns, name) < 0 or kind // 10 % 10 >= len(widths):
            raise ValueError("it declares an array of negative length or of an unknown type")
        width = widths[kind // 10 % 10] * (2 if is_complex == 1 and kind % 10 != 2 else 1)
        at += 20 + name + rows * columns * width
        if at > end:
            raise ValueError("it declares more than it holds")


def _compressed_sizes(file: BinaryIO, order: str) -> list[int]:
    """Bytes of each compressed array, of which no more are there to inflate."""
    sizes, at = [], HEAD
    while len(tag := file.read(8)) == 8:
        kind, count = struct.unpack(f"{order}II", tag)
        at += 8 + count
        if kind == COMPRESSED:
            sizes.append(_inflated(file, count, order))
        file.seek(at)
    return sizes


def _inflated(file: BinaryIO, count: int, order: str) -> int:
    """Bytes that an array of ``count`` compressed bytes declares; it must not have more."""
    inflate = zlib.decompressobj()
    start, declared, size = b"", 0, 0
    while count > 0 and not inflate.eof and (packed := file.read(min(count, CHUNK))):
        count -= len(packed)
        while packed and not inflate.eof:  # after its end a stream gives nothing any more
            content = inflate.decompress(packed, CHUNK)
            packed = inflate.unconsumed_tail
            size += len(content)
            if len(start) < 8:
                start += content
                declared = struct.unpack(f"{order}II", start[:8])[1] if len(start) >= 8 else 0
            if size > declared + PADDING:
                raise ValueError("it inflates to more than it declares")
    return declared
