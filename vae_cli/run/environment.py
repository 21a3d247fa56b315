"""What the numbers of a run depend on beside its settings."""

import importlib.metadata
import platform
import re
import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

DATE = re.compile(r"^date (\d{4}-\d\d-\d\d \d\d:\d\d) UTC$", re.MULTILINE)
FORMAT = "date %Y-%m-%d %H:%M UTC"


def environment() -> str:
    """The date, versions of what the numbers depend on, one a line, and the commit of the code."""
    lines = [datetime.now(UTC).strftime(FORMAT)]
    lines += [f"python {platform.python_version()}", f"platform {platform.platform()}"]
    lines += _packages()
    for what, commit in (("code", _own_commit()), ("working directory", _commit(Path.cwd()))):
        if commit:
            lines.append(f"git commit of the {what} {commit}")
    return "\n".join(lines) + "\n"


def date_of(text: str) -> str:
    """When a run was last started, by its ``environment.txt``; empty if that does not say it."""
    found = DATE.search(text)
    return found.group(1) if found else ""


@cache
def _packages() -> list[str]:
    """Name and version of each installed package. Reading all their metadata takes 0.2 s."""
    found = [each.metadata for each in importlib.metadata.distributions()]
    packages = {metadata["Name"]: metadata["Version"] for metadata in found}
    return [f"{name} {packages[name]}" for name in sorted(packages, key=str.lower)]


@cache
def _own_commit() -> str | None:
    """The commit of this package, as it was imported."""
    return _commit(Path(__file__).parent)


def _commit(where: Path) -> str | None:
    command = ["git", "-C", str(where), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(
            [*command, "--match="], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
