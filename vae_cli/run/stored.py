"""Arrays that a run's folder holds, which somebody else may have made."""

import os
import zipfile
from pathlib import Path

import numpy as np

from vae_cli.data.numbers import read_arrays
from vae_cli.files import open_regular
from vae_cli.training.archive import check_members


def read_stored(path: Path) -> dict[str, np.ndarray]:
    """The arrays that ``write_arrays`` wrote, by name.

    They are stored as they are: a small file cannot unpack to a large one.
    """
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        check_members(archive, file.seek(0, os.SEEK_END))
    return read_arrays(path)
