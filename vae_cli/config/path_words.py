"""Paths on a command line: the shell's word is the path, whatever signs Hydra's grammar has."""

from pathlib import Path

from hydra.core.override_parser.types import Override, QuotedString

from vae_cli.config.grammar import parsed, quoted
from vae_cli.errors import VaeCliError
from vae_cli.files import INTERPOLATION

SWEPT = ("data.path", "data.root", "model.m1")  # keys whose values a sweep may go through
SINGLE = ("output", "sweep.resume", "sweep.storage", "hydra.run.dir",
          "hydra.sweep.dir")  # fmt: skip


def as_override(text: str) -> str:
    """An override as Hydra has to read it: a path's signs, blanks and accents mean nothing.

    A word that names something existing is its path. Else commas separate the values of a sweep,
    and quotes, ``choice(...)``, ``null`` and references mean what they mean for every key.

    Args:
        text: As the shell gives it.
    """
    key, _, word = text.partition("=")
    name = key.lstrip("+")
    if name not in (*SWEPT, *SINGLE) or not word or INTERPOLATION in word:
        return text
    override = _read(text)
    if override is not None and override.value() in (word, None):
        return text
    if not exists(word):
        if override is not None and _is_meant(override, name):
            return text
        parts = word.split(",")
        if name in SWEPT and len(parts) > 1 and all(map(exists, parts)):
            return f"{key}={','.join(map(quoted, parts))}"
    return f"{key}={quoted(word)}"


def as_path(word: str) -> str:
    """The path that a word means which Hydra does not read; quotes within quotes are taken off."""
    bare = word[1:-1]
    is_quoted = len(word) > 1 and word[0] == word[-1] and word[0] in "'\"" and word[0] not in bare
    return bare if is_quoted and not exists(word) else word


def exists(word: str) -> bool:
    """Whether there is such a file or folder; of a name that no file system takes, there is not."""
    try:
        return Path(word).exists()
    except (OSError, ValueError):
        return False


def _read(text: str) -> Override | None:
    try:
        return parsed(text)
    except VaeCliError:
        return None


def _is_meant(override: Override, name: str) -> bool:
    """Whether a value that names nothing existing is meant as Hydra reads it."""
    if override.is_sweep_override():
        return name in SWEPT
    value = override.value()
    is_quoted = isinstance(override._value, QuotedString)
    return is_quoted or (isinstance(value, str) and exists(value))
