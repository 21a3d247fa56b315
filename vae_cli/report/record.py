"""Everything that a run's folder tells of itself."""

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.files import LARGEST_YAML, UnsafeFile, read_bytes, read_text
from vae_cli.report.curves import Curve, read_curves
from vae_cli.report.measured import measured
from vae_cli.run.current import CurrentNumbers, old_pictures
from vae_cli.run.environment import date_of
from vae_cli.run.folder import RunFolder
from vae_cli.run.png import CHECKPOINT, opened_png
from vae_cli.run.recorded import Note, Notes
from vae_cli.run.settings import (
    place_of_data,
    read_config,
    read_overrides,
    settings_of_run,
    treatment_of,
)

LARGEST_PICTURE = 1 << 23  # bytes of a file; a sheet of images takes 100,000
SEVERAL = (1 << 22, 3 << 20)  # characters of a page for pictures and texts of several runs
ONE = (1 << 25, 1 << 24)  # … of one run, as much as somebody may want to mail


@dataclass(frozen=True)
class RunRecord:
    """A run, as far as it has come.

    Attributes:
        name: Its folder, as the user named it.
        results: ``results.json``; empty while it is unfinished.
        evaluation: ``evaluation.json``, by split.
        settings: Its configuration by dotted keys; its group's own key names the class.
        config: The same as a yaml, as it was written.
        overrides: What the user chose.
        commands: The command lines, that of each resume too.
        environment: Versions, platform, commits.
        date: When it was last started; empty if unknown.
        curves: By name.
        pictures: By name, as ``data:`` addresses.
        comparable: The numbers that runs are compared by, with the data that they depend on; only
            the latter while there are none.
        left_out: What a page of several runs has no room for.
    """

    name: str
    results: dict[str, Any]
    evaluation: dict[str, dict[str, Any]]
    settings: dict[str, Any]
    config: str
    overrides: list[str]
    commands: list[str]
    environment: str
    date: str
    curves: dict[str, Curve]
    pictures: dict[str, str]
    comparable: dict[str, Any]
    left_out: list[str]


@dataclass
class Room:
    """How many characters of a page are left for pictures, and for texts."""

    pictures: int
    texts: int
    left_out: list[str] = field(default_factory=list)  # of the run that is being read

    def text(self, what: str, text: str) -> str:
        """A text if there is room for it, else none."""
        if len(text) > self.texts:
            self.left_out.append(what)
            return ""
        self.texts -= len(text)
        return text


def read_runs(paths: Sequence[str]) -> tuple[list[RunRecord], list[str]]:
    """Reads the folders of runs for one page.

    Returns:
        The runs, and what there is to say of what can't be read.

    Raises:
        ConfigError: If a folder is not a run's, or no run can be read.
    """
    for path in paths:
        if not RunFolder(path).overrides.is_file():
            RunFolder.existing(path, key="run")  # which says why it is not one
    room = Room(*(SEVERAL if len(paths) > 1 else ONE))
    records, notes = list[RunRecord](), Notes()
    for path in paths:
        note = notes.of(path)
        try:
            folder = RunFolder.existing(path, key="run")
            records.append(_read_run(path, folder, room, note))
        except VaeCliError as error:
            if len(paths) == 1 and isinstance(error, ConfigError):
                raise
            if len(paths) == 1:
                rule = f"a file in it can't be read ({error})"
                remedy = "Is it whole, and a run of vae-train?"
                raise ConfigError("run", path, rule, remedy) from error
            note(f"left out, a file in it can't be read ({error})")
    if not records:
        raise ConfigError("run", ",".join(paths), f"no run there can be read ({notes.lines[0]})")
    return records, notes.lines


def _read_run(path: str, folder: RunFolder, room: Room, note: Note) -> RunRecord:
    """Reads a run's folder.

    Raises:
        UnsafeFile: If its configuration or its numbers can't be read.
    """
    config = read_config(folder.config)
    numbers = CurrentNumbers(folder, note)
    results, evaluation = numbers.results, numbers.evaluations
    overrides = read_overrides(folder.overrides)
    room.left_out = []
    pictures = _pictures(folder.figures, numbers, room, note)
    environment = _text(folder.path / "environment.txt", note)
    return RunRecord(
        name=path,
        results=results,
        evaluation=evaluation,
        settings=settings_of_run(config),
        overrides=room.text("what was chosen", "\n".join(overrides)).splitlines(),
        commands=room.text("the commands", _text(folder.path / "command.txt", note)).splitlines(),
        # Interpolations stay as they are: a page is mailed, and they may ask for secrets.
        config=room.text("the configuration", read_text(folder.config, LARGEST_YAML)),
        environment=room.text("the environment", environment),
        date=date_of(environment),
        curves=read_curves(folder.path, note),
        pictures=pictures,
        comparable=_comparable(config, results, evaluation),
        left_out=room.left_out,
    )


def _text(file: Path, note: Note) -> str:
    try:
        return read_text(file) if os.path.lexists(file) else ""
    except UnsafeFile as error:
        note(f"{error}: left out")
        return ""


def _pictures(folder: Path, numbers: CurrentNumbers, room: Room, note: Note) -> dict[str, str]:
    """The pictures that there is room for, by name; a folder elsewhere is not followed.

    Those of a checkpoint that was replaced are left out.
    """
    if folder.is_symlink():
        note(f"{folder.name} is a symbolic link: left out")
        return {}
    found: dict[str, str] = {}
    skipped, old = 0, list[str]()
    for file in sorted(folder.glob("*.png")):
        if room.pictures == 0:
            skipped += 1
            continue
        try:
            content = read_bytes(file, LARGEST_PICTURE)
            with opened_png(content) as image:
                image.verify()
                digest = image.info.get(CHECKPOINT)
        except UnsafeFile as error:
            reason = str(error).removeprefix(f"{file.name} ")
            note(f"{folder.name}/{file.name} {reason}: left out")
            continue
        if not numbers.checkpoints.is_current_picture(digest):
            old.append(file.name)
            continue
        address = f"data:image/png;base64,{base64.b64encode(content).decode()}"
        if len(address) > room.pictures:
            room.pictures, skipped = 0, 1  # the rest is left out, small ones too: one knows which
        else:
            room.pictures -= len(address)
            found[file.stem] = address
    if old:
        note(f"{folder.name}: left out {old_pictures(old)}")
    if skipped:
        room.left_out.append(f"{skipped} picture{'s' * (skipped > 1)}")
    return found


def _comparable(
    config: dict[str, Any], results: dict[str, Any], evaluation: dict[str, Any]
) -> dict[str, Any]:
    """Of vae-eval where it has been, else of the test at the end of training."""
    return {
        **treatment_of(config),
        **measured(results, evaluation.get("test", {}), "test"),
        "data_path": place_of_data(config),
    }
