"""Paths on a command line: the shell's word is the path, whatever it means in Hydra's grammar."""

from pathlib import Path

from hydra.core.override_parser.types import Override, QuotedString

from vae_cli.config.grammar import parsed, quoted
from vae_cli.errors import VaeCliError
from vae_cli.files import INTERPOLATION

SWEPT = ("data.path", "data.root", "model.m1")  # keys whose values a sweep may go through
SINGLE = ("output", "sweep.resume", "sweep.storage", "hydra.run.dir",
          "hydra.sweep.dir")  # fmt: skip
# Keys whose commands read the word themselves.
AS_TYPED = ("run", "resume", "where", "what", "from", "to", "draw")


def as_override(text: str) -> str:
    """An override that Hydra reads as the shell's word where its key takes a path.

    A word that names something existing is its path. Else commas separate the values of a sweep,
    and quotes, ``choice(...)``, ``null`` and references mean what they mean for every key. The
    words of ``run``, ``resume`` and a few more are never anything but texts, or null.
    """
    key, _, word = text.partition("=")
    name = key.lstrip("+")
    if name not in (*SWEPT, *SINGLE, *AS_TYPED) or not word:
        return text
    if name in AS_TYPED:
        key = name  # it is there: Hydra refuses to add it
    elif INTERPOLATION in word:
        return text
    text = f"{key}={word}"
    override = _read(text)
    if override is not None and override.value() in (word, None):
        return text
    if name not in AS_TYPED and not exists(word):
        if override is not None and _is_meant(override, name):
            return text
        parts = word.split(",")
        if name in SWEPT and len(parts) > 1 and all(map(exists, parts)):
            return f"{key}={','.join(map(quoted, parts))}"
    return f"{key}={quoted(word)}"


def as_path(word: str) -> str:
    """The path that a word means; quotes within quotes are removed."""
    bare = word[1:-1]
    is_quoted = len(word) > 1 and word[0] == word[-1] and word[0] in "'\"" and word[0] not in bare
    return bare if is_quoted and not exists(word) else word


def exists(word: str) -> bool:
    """Whether there is such a file or folder; False for a name that no file system takes."""
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
