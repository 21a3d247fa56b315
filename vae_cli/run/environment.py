"""What the numbers of a run depend on beside its settings."""

import importlib.metadata
import platform
import subprocess
from pathlib import Path


def environment() -> str:
    """Versions of what the numbers depend on, one a line, and the commit of the code."""
    lines = [f"python {platform.python_version()}", f"platform {platform.platform()}"]
    packages = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
    lines += [f"{name} {packages[name]}" for name in sorted(packages, key=str.lower)]
    for what, where in (("code", Path(__file__).parent), ("working directory", Path.cwd())):
        commit = _commit(where)
        if commit:
            lines.append(f"git commit of the {what} {commit}")
    return "\n".join(lines) + "\n"


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
