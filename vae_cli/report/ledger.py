"""The results of runs, read fast from their folders: a thousand in seconds."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.reference.published import Published
from vae_cli.report.measured import measured
from vae_cli.report.values import read_values
from vae_cli.run.current import CurrentNumbers
from vae_cli.run.folder import RunFolder
from vae_cli.run.recorded import LARGEST, Note, Notes, is_number
from vae_cli.run.settings import (
    place_of_data,
    read_config,
    read_overrides,
    settings_of_run,
    treatment_of,
)
from vae_cli.terminal.quantity import quantity

ANY = ("elbo", "log_likelihood", "reconstruction")  # numbers, without which a run has none
MARK = "overrides.yaml"  # a file that every run's folder has
REFERENCE = "reference"  # what entries have that are no runs, in place of settings
IMAGES = ("images_sha256", "data_path")  # what tells one set of images from another


@dataclass(frozen=True)
class Entry:
    """A run in a table.

    Attributes:
        path: Its folder, as the user named it.
        settings: Its configuration by dotted keys; a group's own key names the class.
        chosen: What its user chose, by key: groups by their options' names.
        numbers: By name, with their standard errors, and what they depend on.
        is_evaluated: Whether vae-eval has measured the checkpoint that is there.
    """

    path: str
    settings: Mapping[str, Any]
    chosen: Mapping[str, str]
    numbers: Mapping[str, Any]
    is_evaluated: bool = False


def run_paths(places: Sequence[str]) -> list[str]:
    """The folders of runs at some places and anywhere below them, each once, in order.

    Raises:
        ConfigError: If a place has none.
    """
    found: dict[Path, str] = {}
    for place in places:
        walked = os.walk(place)  # which passes over what it cannot read
        below = sorted(Path(folder, MARK) for folder, _, names in walked if MARK in names)
        if not below and len(places) == 1:
            rule = "holds no run" if Path(place).exists() else "there is no such folder"
            raise ConfigError("run", place, rule, "Try vae-compare outputs.")
        for file in below:
            found.setdefault(file.parent.resolve(), str(file.parent))
    return list(found.values())


def read_entries(paths: Sequence[str], split: str) -> tuple[list[Entry], list[str]]:
    """Reads runs.

    Args:
        paths: Of their folders.
        split: Whose numbers are wanted; those of the test at the end of training stand in for an
            evaluation of the test images that there has not been.

    Returns:
        The runs that have numbers, and what there is to say of the others.
    """
    entries, notes = list[Entry](), Notes()
    for path in paths:
        note = notes.of(path)
        try:
            entry = _read(path, split, note)
        except VaeCliError as error:
            note(f"can't be read ({error})")
            continue
        if any(name in entry.numbers for name in ANY):
            entries.append(entry)
        else:
            note(f"no numbers for {split}; it has not finished, or failed")
    return entries, notes.lines


def _read(path: str, split: str, note: Note) -> Entry:
    folder = RunFolder(path)
    config = read_config(folder.config)
    numbers = CurrentNumbers(folder, note)
    named = (text.partition("=") for text in read_overrides(folder.overrides))
    return Entry(
        path,
        settings_of_run(config),
        {key.lstrip("+~"): value for key, _, value in named},
        {
            **treatment_of(config),
            **measured(numbers.results, numbers.evaluations.get(split, {}), split),
            "data_path": place_of_data(config),
        },
        split in numbers.evaluations,
    )


def beside(runs: Sequence[Entry], reference: Published) -> list[Entry]:
    """A publication's rows as entries beside runs; none where no run has its data and treatment."""
    like = [r for r in runs if reference.treatment.items() <= dict(r.numbers).items()]
    images = {key: like[0].numbers.get(key) for key in IMAGES} if like else {}
    shared = {"split": "test", "measured_by": "published", **images}
    return [
        Entry(f"[{name}]", {REFERENCE: name}, {}, {**reference.treatment, **shared, **numbers})
        for name, numbers in (reference.rows if like else {}).items()
    ]


def values_of_images(entry: Entry, key: str) -> np.ndarray | None:
    """A number of each image, ``(N,)``, where vae-eval has kept them.

    Errors of q(y|x) are of the images with a label alone.
    """
    if not entry.is_evaluated:
        return None
    file, split = RunFolder(entry.path).evaluated, entry.numbers["split"]
    found = read_values(file, f"{split}/{key}")
    if found is None or not (np.abs(found) <= LARGEST).all():  # NaN is not below it, either
        return None
    if not quantity(key, entry.numbers).is_of_labels:
        return found
    is_labelled = read_values(file, f"{split}/labelled")  # images without a label hold a zero
    if is_labelled is None or len(is_labelled) != len(found):
        return None
    return found[is_labelled > 0]


def each(entries: Sequence[Entry], key: str) -> Iterator[float]:
    """A number of runs, of those that have it."""
    return (float(e.numbers[key]) for e in entries if is_number(e.numbers.get(key)))
