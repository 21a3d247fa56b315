"""Numbers of a trained model that commands add to its run's folder, several at once if need be."""

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vae_cli.evaluation.answer import GROUPS, SOURCE
from vae_cli.files import UnsafeFile, read_json
from vae_cli.number import Number
from vae_cli.run.declared import write_declared
from vae_cli.run.files import write_arrays, write_json
from vae_cli.run.folder import RunFolder
from vae_cli.run.recorded import TRUTHS, Note, is_number
from vae_cli.run.stored import read_stored

Numbers = dict[str, Any]

LOCK = "numbers.lock"
WAIT = 60.0  # seconds for other commands, each of which takes a moment


class Measured(NamedTuple):
    """What an evaluation has measured.

    Attributes:
        settings: Options of what was measured, by group and name.
        numbers: By name.
        values: Of each image, by name.
        declared: What the numbers are.
        source: What it takes to find them again, see ``source_of``.
    """

    settings: Mapping[str, Mapping[str, Any]]
    numbers: Mapping[str, Any]
    values: Mapping[str, np.ndarray]
    declared: Iterable[Number] = ()
    source: Mapping[str, Any] | None = None


def read_evaluation(folder: RunFolder, basis: Mapping[str, Any], note: Note) -> Numbers:
    """What vae-eval found of a split, empty if nothing has this basis. Damage counts as absence.

    Args:
        folder: Of the run.
        basis: What all numbers of a split depend on.
        note: Is given a line about a damaged file.
    """
    return _measured(_read_evaluation(folder, note)[0], basis)


def update_evaluation(folder: RunFolder, basis: Mapping[str, Any], found: Measured) -> Numbers:
    """Adds to the numbers of vae-eval. What other commands have added meanwhile stays.

    Returns:
        All numbers of the split that have this basis.

    Raises:
        VaeCliError: If the files cannot be held.
    """
    split = basis["split"]
    with _held(folder):
        records, arrays = _read_evaluation(folder, _ignore)
        known = _measured(records, basis)
        if not known:
            arrays = {k: v for k, v in arrays.items() if not k.startswith(f"{split}/")}
        arrays |= {f"{split}/{name}": value for name, value in found.values.items()}
        before = known.get("settings", {})
        settings = {g: {**before.get(g, {}), **found.settings.get(g, {})} for g in GROUPS}
        record = {**basis, "bits_per_dim": None, **known, "settings": settings, **found.numbers}
        write_declared(folder, found.declared)
        write_arrays(folder.evaluated, arrays)
        kept = {SOURCE: found.source} if found.source else {}
        write_json(folder.evaluation, {**records, split: {**record, **kept}})
    return record


def read_finetuned(folder: RunFolder, note: Note) -> dict[str, Numbers]:
    """The numbers of vae-finetune, by setting. A damaged file counts as a missing one.

    Args:
        folder: Of the run.
        note: Is given a line about a damaged file.
    """
    return _read_records(folder.finetuned, note)


def update_finetuned(folder: RunFolder, setting: str, record: Numbers) -> None:
    """Adds to the numbers of vae-finetune, in the place of earlier ones of the setting.

    Raises:
        VaeCliError: If the file cannot be held.
    """
    with _held(folder):
        write_json(folder.finetuned, {**read_finetuned(folder, _ignore), setting: record})


def matching(record: Numbers, basis: Mapping[str, Any]) -> Numbers:
    """A record if it has this basis and no text or list beside it; an empty one otherwise."""
    is_known = record and all(record.get(name) == value for name, value in basis.items())
    names = record.keys() - basis.keys()
    is_whole = all(
        record[n] is None or is_number(record[n]) or (n in TRUTHS and isinstance(record[n], bool))
        for n in names
    )
    return record if is_known and is_whole else {}


def _measured(records: Mapping[str, Numbers], basis: Mapping[str, Any]) -> Numbers:
    """The record of a split, empty if it cannot be added to."""
    record = dict(records.get(basis["split"], {}))
    record.pop(SOURCE, None)
    settings = record.pop("settings", None)
    is_whole = isinstance(settings, dict) and all(
        isinstance(settings.get(group), dict) for group in GROUPS
    )
    known = matching(record, basis) if is_whole else {}
    return {**known, "settings": settings} if known else {}


def _ignore(_: str) -> None:
    """Takes a note that the user has read already, when the command looked what there was."""


@contextmanager
def _held(folder: RunFolder) -> Iterator[None]:
    doing = f"has been writing numbers there for {WAIT:g} seconds. Try again, or stop it"
    with folder.locked(LOCK, WAIT, "run", doing):
        yield


def _read_evaluation(
    folder: RunFolder, note: Note
) -> tuple[dict[str, Numbers], dict[str, np.ndarray]]:
    """The records and the values of the images, which go together: both, or neither."""
    if not folder.evaluated.is_file():
        return {}, {}
    records = _read_records(folder.evaluation, note)
    if not records:
        return {}, {}
    try:
        return records, read_stored(folder.evaluated)
    except (UnsafeFile, OSError, ValueError, zipfile.BadZipFile) as error:
        what = f"{folder.evaluated.name} is damaged ({' '.join(str(error).split())[:120]})"
        note(f"{folder.path}: {what}; its numbers are measured again")
        return {}, {}


def _read_records(path: Path, note: Note) -> dict[str, Numbers]:
    if not path.is_file():
        return {}
    try:
        found = read_json(path)
        if not all(isinstance(record, dict) for record in found.values()):
            raise UnsafeFile(f"{path.name} does not hold numbers by name")
    except UnsafeFile as error:
        note(f"{path.parent}: {error}; its numbers are measured again")
        return {}
    return found
