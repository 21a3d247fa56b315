"""The folders of runs that a command works on: ``run=``, with commas and patterns."""

import glob
from collections.abc import Sequence
from pathlib import Path

from vae_cli.errors import ConfigError, VaeCliError


def parted(overrides: Sequence[str]) -> tuple[str, list[str]]:
    """The last value of ``run``, which Hydra would not read, and the other overrides."""
    named = [text for text in overrides if text.startswith("run=")]
    value = named[-1].partition("=")[2] if named else ""
    return value, [text for text in overrides if text not in named]


def run_folders(value: str, program: str) -> list[str]:
    """The folders that ``run=`` names: parted by commas, patterns filled in, each once.

    Args:
        value: Behind the sign.
        program: Which is told to be tried where there is none.

    Raises:
        VaeCliError: If there is none.
    """
    paths: dict[str, None] = {}
    for part in filter(None, value.strip("[]").split(",")):
        is_pattern = glob.has_magic(part) and not Path(part).exists()
        found = sorted(glob.glob(part)) if is_pattern else [part]  # noqa: PTH207  may be absolute
        if not found:
            raise ConfigError("run", part, "no folder matches the pattern")
        paths |= dict.fromkeys(found)
    if not paths:
        raise VaeCliError(f"run: needs the folder of a run. Try {program} run=outputs/...")
    return list(paths)
