"""What a run's folder says of the data that the run was started with."""

import zipfile

from vae_cli.data.record import Record
from vae_cli.errors import ConfigError
from vae_cli.files import UnsafeFile
from vae_cli.run.files import write_arrays
from vae_cli.run.folder import RunFolder
from vae_cli.run.stored import read_stored


def read_record(folder: RunFolder, key: str) -> Record | None:
    """The data of a run; None of one that was started by a version without a record.

    Args:
        folder: Of the run.
        key: Which the user gave the folder to.
    """
    if not folder.data.is_file():
        return None
    try:
        return Record.from_arrays(read_stored(folder.data))
    except (UnsafeFile, OSError, ValueError, zipfile.BadZipFile) as error:
        rule = f"its {folder.data.name} is damaged ({' '.join(str(error).split())[:120]})"
        remedy = f"Put a copy back, or delete {folder.data}: then the split is not checked."
        raise ConfigError(key, folder.path, rule, remedy) from error


def write_record(folder: RunFolder, record: Record) -> None:
    """Writes the data of a run into its folder, whole or not at all."""
    write_arrays(folder.data, record.to_arrays())
