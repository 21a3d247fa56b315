"""The values of each image that vae-eval keeps, read from a file that anybody may have written."""

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from vae_cli.files import UnsafeFile, open_regular

LARGEST = 1 << 23  # bytes of an array: a million images


def read_values(path: Path, name: str) -> np.ndarray | None:
    """One array of an ``.npz``, ``(N,)``; None where it is missing or something else.

    Numpy's own reader allocates what a file declares.
    """
    if not os.path.lexists(path):
        return None
    try:
        with (
            open_regular(path) as file,
            zipfile.ZipFile(file) as archive,
            archive.open(f"{name}.npy") as member,
        ):
            np.lib.format.read_magic(member)
            shape, _, dtype = np.lib.format.read_array_header_1_0(member)
            if dtype.kind != "f" or len(shape) != 1 or not 0 < shape[0] * 8 <= LARGEST:
                return None
            content = member.read(shape[0] * dtype.itemsize)
            return np.frombuffer(content, dtype, shape[0]).astype(np.float64)
    except (KeyError, ValueError, OSError, EOFError, NotImplementedError, RuntimeError,
            UnsafeFile, zipfile.BadZipFile, zlib.error):  # fmt: skip
        return None  # an interval that it is for is left out, then
