"""The folders of runs that a command works on: ``run=``, with commas and patterns."""

import glob
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from vae_cli.config.path_words import as_path, exists
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.run.folder import RunFolder


def parted(overrides: Sequence[str]) -> tuple[list[str], list[str]]:
    """The values of ``run``, which Hydra would not read, and the other overrides.

    Raises:
        VaeCliError: If a word is a path without its key.
    """
    for text in overrides:
        if not text.startswith("run=") and exists(text):
            remedy = f"Did you mean {shlex.quote(f'run={text}')}?"
            raise VaeCliError(f"{text}: is not of the form key=value. {remedy}")
    values = [text.partition("=")[2] for text in overrides if text.startswith("run=")]
    return values, [text for text in overrides if not text.startswith("run=")]


def run_folders(values: Sequence[str], program: str) -> list[str]:
    """The folders that ``run=`` names: parted by commas, patterns filled in, each once.

    Args:
        values: Behind each of the signs.
        program: Which is told to be tried where there is none.

    Raises:
        VaeCliError: If there is none.
    """
    found = {Path(path).resolve(): path for value in values for path in _named_by(value)}
    if not found:
        raise VaeCliError(f"run: needs the folder of a run. Try {program} run=outputs/...")
    return list(found.values())


def listed(value: str) -> list[str]:
    """The paths of one word: the whole word if that exists, else what commas separate."""
    whole = as_path(value)
    parts = [whole] if exists(whole) else whole.strip("[]").split(",")
    return [as_path(part) for part in parts if part]


def _named_by(value: str) -> Iterator[str]:
    for part in listed(value):
        if glob.has_magic(part) and not exists(part):
            matches = sorted(glob.glob(part))  # noqa: PTH207  the pattern may be absolute
            runs = [match for match in matches if _is_run(Path(match))]
            if not runs:
                rule = "no folder of a run matches the pattern"
                raise ConfigError("run", part, rule, "Try run='outputs/*/*'.")
            yield from runs
        else:
            yield part


def _is_run(path: Path) -> bool:
    """Whether a folder is one of a run; a link to one is not, and would not be opened."""
    return RunFolder(path).overrides.is_file() and not path.is_symlink()
