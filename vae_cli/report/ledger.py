"""What runs have come to, read from their folders fast: a thousand in seconds."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import yaml

from vae_cli.errors import ConfigError
from vae_cli.reference.published import Published
from vae_cli.run.folder import RunFolder
from vae_cli.run.settings import settings, treatment_of

# PyYAML's own reader takes ten times as long; it is there where libyaml is not.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TESTED = "test/"
ANY = ("elbo", "log_likelihood", "reconstruction")  # numbers, without which a run has none
BEST = "best.ckpt"  # which is tested at the end of training
REFERENCE = "reference"  # what entries have that are no runs, in place of settings
IMAGES = ("images_sha256", "data_path")  # what tells one set of images from another
READABLE = (ValueError, TypeError, KeyError, AttributeError, OSError, yaml.YAMLError)


@dataclass(frozen=True)
class Entry:
    """A run in a table.

    Attributes:
        path: Its folder, as the user named it.
        settings: Its configuration by dotted keys; a group's own key names the class.
        chosen: What its user chose, by key: groups by their options' names.
        numbers: By name, with their standard errors, and what they depend on.
    """

    path: str
    settings: Mapping[str, Any]
    chosen: Mapping[str, str]
    numbers: Mapping[str, Any]


def run_paths(places: Sequence[str]) -> list[str]:
    """The folders of runs at some places and anywhere below them, each once, in order.

    Raises:
        ConfigError: If a place has none.
    """
    found: dict[Path, str] = {}
    for place in places:
        below = sorted(Path(place).rglob("overrides.yaml")) if Path(place).is_dir() else []
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
    entries, notes = [], []
    for path in paths:
        try:
            entry = _read(path, split)
        except READABLE as error:
            notes.append(f"{path}: can't be read ({' '.join(str(error).split())[:80]})")
            continue
        if any(name in entry.numbers for name in ANY):
            entries.append(entry)
        else:
            notes.append(f"{path}: no numbers for {split}; it has not finished, or failed")
    return entries, notes


def _read(path: str, split: str) -> Entry:
    folder = RunFolder(path)
    config = yaml.load(folder.config.read_bytes(), LOADER)
    evaluation = json.loads(_text(folder.evaluation) or "{}")
    results = json.loads(_text(folder.results) or "{}")
    evaluated = evaluation.get(split, {})
    tested = {k.removeprefix(TESTED): v for k, v in results.items() if k.startswith(TESTED)}
    tested["images_sha256"] = results.get("data/images_sha256")
    # What was left out of an evaluation stands as it was tested, with the same checkpoint.
    alike = split == "test" and evaluated.get("checkpoint", BEST) == BEST
    numbers = {**(tested if alike else {}), **evaluated}
    for name in ("elbo", "elbo_se", "reconstruction", "reconstruction_se"):
        numbers[f"validation_{name}"] = results.get(f"validation/{name}")
    named = (str(text).partition("=") for text in yaml.load(_text(folder.overrides), LOADER) or ())
    return Entry(
        path,
        {"model": config["model"]["_target_"].rpartition(".")[2], **settings(config)},
        {key.lstrip("+~"): value for key, _, value in named},
        {**treatment_of(config), "split": split, **numbers},
    )


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def beside(runs: Sequence[Entry], reference: Published) -> list[Entry]:
    """A publication's rows as entries beside runs; none where no run has its data and treatment."""
    like = [r for r in runs if reference.treatment.items() <= dict(r.numbers).items()]
    shared = {"split": "test", **{k: like[0].numbers.get(k) for k in IMAGES}} if like else {}
    return [
        Entry(f"[{name}]", {REFERENCE: name}, {}, {**reference.treatment, **shared, **numbers})
        for name, numbers in (reference.rows if like else {}).items()
    ]


def values_of_images(entry: Entry, key: str) -> np.ndarray | None:
    """A number of each image, ``(N,)``, where vae-eval has kept them."""
    file = RunFolder(entry.path).evaluated
    name = f"{entry.numbers['split']}/{key}"
    if not file.is_file():
        return None
    with np.load(file, allow_pickle=False) as arrays:
        return cast(np.ndarray, arrays[name]) if name in arrays else None


def each(entries: Sequence[Entry], key: str) -> Iterator[float]:
    """A number of runs, of those that have it."""
    return (float(e.numbers[key]) for e in entries if e.numbers.get(key) is not None)
