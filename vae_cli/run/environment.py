"""What the numbers of a run depend on beside its settings."""

import importlib.metadata
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

DATE = re.compile(r"^date (\d{4}-\d\d-\d\d \d\d:\d\d) UTC$", re.MULTILINE)
FORMAT = "date %Y-%m-%d %H:%M UTC"


def environment() -> str:
    """The date, versions of what the numbers depend on, one a line, and the commit of the code."""
    lines = [datetime.now(UTC).strftime(FORMAT)]
    lines += [f"python {platform.python_version()}", f"platform {platform.platform()}"]
    packages = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
    lines += [f"{name} {packages[name]}" for name in sorted(packages, key=str.lower)]
    for what, where in (("code", Path(__file__).parent), ("working directory", Path.cwd())):
        commit = _commit(where)
        if commit:
            lines.append(f"git commit of the {what} {commit}")
    return "\n".join(lines) + "\n"


def date_of(text: str) -> str:
    """When a run was last started, by its ``environment.txt``; empty if that does not say it."""
    found = DATE.search(text)
    return found.group(1) if found else ""


def _commit(where: Path) -> str | None:
    command = [
        "git",
        "-C",
        str(where),
        "describe",
        "--always",
        "--dirty",
        "--abbrev=40",
        "--match=",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
