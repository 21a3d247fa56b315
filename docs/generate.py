"""Writes the pages of the reference that repeat what the commands' help says.

    python docs/generate.py

Run it after a change of a yaml or of a help text.
"""

import subprocess
import sys
from pathlib import Path

from vae_cli.config.folders import groups_of, search_path

PAGES = Path(__file__).parent / "reference"
COMMANDS = ["train", "eval", "sample", "finetune", "compare", "report", "export", "flow"]
OF_OTHERS = {"analysis": "eval", "energy": "flow", "reference": "compare"}  # not of vae-train


def help_of(command: str, *words: str) -> str:
    """What a command prints as its help, as a fence."""
    code = f"from vae_cli.commands.{command} import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--help", *words],
        capture_output=True, text=True, check=True, env={"COLUMNS": "100", "PATH": ""},
    )  # fmt: skip
    return f"```text\n{done.stdout.rstrip().replace('-c ', f'vae-{command} ')}\n```\n"


def write_group(group: str, command: str, options: list[str]) -> None:
    """Write the page of a group: its options, and the keys of each."""
    parts = [
        f"# {group}\n",
        f"The options of `{group}`, as `vae-{command} --help {group}` prints them.\n",
        help_of(command, group),
    ]
    for option in options:
        parts += [f"## {group}={option}\n", help_of(command, f"{group}={option}")]
    (PAGES / f"{group}.md").write_text("\n".join(parts), encoding="utf-8")


def main() -> None:
    """Write all pages."""
    PAGES.mkdir(exist_ok=True)
    groups = {
        **{g: ("train", o) for g, o in groups_of("train", search_path(None)).items()},
        **{g: (c, groups_of(c, search_path(None))[g]) for g, c in OF_OTHERS.items()},
    }
    for group, (command, options) in groups.items():
        if "/" not in group:
            write_group(group, command, list(options))
    texts = [f"## vae-{command}\n\n{help_of(command)}" for command in COMMANDS]
    opening = "# Commands\n\nThis page shows what each command's `--help` prints.\n\n"
    (PAGES / "commands.md").write_text(opening + "\n".join(texts), encoding="utf-8")


if __name__ == "__main__":
    main()
