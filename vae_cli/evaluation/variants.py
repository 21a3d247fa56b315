"""The names of pictures: one that differs from a run's usual picture has a name that says how."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from vae_cli.errors import as_written
from vae_cli.run.subject import GIVEN

PLAIN = ("checkpoint",)  # keys whose values need no key to be understood
KEYED = ("seed", "count", "label")
LONGEST = 24  # characters of a value
UNSAFE = re.compile(r"[^\w.-]+")  # for the name of a file


def variant(name: str, cfg: DictConfig, usual: DictConfig, split: str | None) -> str:
    """The name of the file of a picture, without its suffix.

    Args:
        name: Of the figure.
        cfg: What the user asks for, as ``sample.yaml`` has it.
        usual: The same without what the user asks for.
        split: Whose images are shown; None of a picture without images.
    """
    return "_".join([name, *_marks(name, cfg, usual, split)])


def _marks(name: str, cfg: DictConfig, usual: DictConfig, split: str | None) -> Iterator[str]:
    if split == GIVEN:
        yield f"{GIVEN}-{_word(next(value for value in _places(cfg) if value))}"
    elif split is not None and split != usual.split:
        yield split
    for key in (*PLAIN, *KEYED):
        if cfg[key] != usual[key]:
            yield _word(cfg[key]) if key in PLAIN else f"{key}-{_word(cfg[key])}"
    for key, value in cfg.figure[name].items():
        if value != usual.figure[name].get(key):
            yield f"{key}-{_word(value)}"


def _places(cfg: DictConfig) -> Iterator[Any]:
    yield cfg.data.path
    yield cfg.data.root


def _word(value: object) -> str:
    """A value as a part of a file's name; of a path the last part, and a digest of the whole.

    Different values have different words.
    """
    text = as_written(value)
    word = UNSAFE.sub("-", Path(text).name)[:LONGEST].strip(".")
    if word and word == text:
        return word
    digest = hashlib.blake2b(str(value).encode(), digest_size=3).hexdigest()
    return f"{word}-{digest}"
