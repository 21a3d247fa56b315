"""The declarations of a run's numbers, kept beside them for commands that do not load its code."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from vae_cli.files import UnsafeFile, read_json
from vae_cli.number import BY_NAME, Number, from_plain, new_numbers
from vae_cli.run.files import write_json
from vae_cli.run.folder import RunFolder
from vae_cli.run.recorded import Note

DECLARED = "declared"  # key under which a record in memory has the declarations, by name
MOST = 1000  # declarations of a run


def write_declared(folder: RunFolder, declared: Iterable[Number]) -> None:
    """Adds declarations to a run's; numbers that every version knows need none."""
    new = new_numbers(declared)
    if new:
        plain = {name: asdict(number) for name, number in (read_declared(folder) | new).items()}
        for fields in plain.values():
            del fields["name"]
        write_json(folder.declared, plain)


def read_declared(folder: RunFolder, note: Note = lambda text: None) -> dict[str, Number]:
    """The declarations in a run's folder, which anybody may have written: the valid ones."""
    found: dict[str, Any] = {}
    if os.path.lexists(folder.declared):
        try:
            found = read_json(folder.declared)
        except UnsafeFile as error:
            note(f"{error}: left out")
    numbers = {name: from_plain(name, fields) for name, fields in [*found.items()][:MOST]}
    valid = {n: number for n, number in numbers.items() if number is not None and n not in BY_NAME}
    if len(valid) < len(found):
        note(f"{folder.declared.name}: left out {len(found) - len(valid)} invalid declarations")
    return valid


def with_declared(record: Mapping[str, Any], folder: RunFolder) -> dict[str, Any]:
    """A record with the declarations of its run."""
    return {**record, DECLARED: read_declared(folder)}
