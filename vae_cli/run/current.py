"""Stored numbers of the checkpoints that a run has now: a resumed run leaves older ones behind."""

import os
from collections.abc import Mapping
from typing import Any

from vae_cli.errors import shell_word
from vae_cli.files import UnsafeFile, read_json
from vae_cli.run.declared import DECLARED, read_declared
from vae_cli.run.files import sha256_of
from vae_cli.run.folder import RunFolder
from vae_cli.run.recorded import Note, named, read_evaluations, read_results

DIGEST = "checkpoint_sha256"  # key of a record


def old_pictures(names: list[str]) -> str:
    """What to say of pictures of a checkpoint that was replaced."""
    several = f"picture{'s' * (len(names) > 1)}"
    return f"{len(names)} {several} of a checkpoint that was replaced ({named(names)})"


class CurrentCheckpoints:
    """The checkpoints of a run's folder, by which it is found out what is of an older one.

    Args:
        folder: Of the run.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._files = {file.name: file for file in (folder.best, folder.last)}
        self._export, self._path = folder.path / "export" / "export.json", folder.path
        self._digests = dict[str, str]()

    def is_current(self, record: Mapping[str, Any], checkpoint: str) -> bool:
        """Whether a record is of the checkpoint that is there; True if nobody knows."""
        known = record.get(DIGEST)
        if known is None or checkpoint not in self._files or not self._files[checkpoint].is_file():
            return True
        if checkpoint not in self._digests:
            try:
                self._digests[checkpoint] = sha256_of(self._files[checkpoint])
            except UnsafeFile:
                self._digests[checkpoint] = ""
        return self._digests[checkpoint] == known

    def is_current_picture(self, digest: str | None) -> bool:
        """Whether a picture of a checkpoint is of one that is there; True if nobody knows."""
        files = [name for name, file in self._files.items() if file.is_file()]
        return not files or any(self.is_current({DIGEST: digest}, name) for name in files)

    def old_export(self) -> str:
        """A note on an export of a checkpoint that was replaced; empty without such an export."""
        if not os.path.lexists(self._export):
            return ""
        try:
            record = read_json(self._export)
        except UnsafeFile:
            return ""
        if self.is_current(record, str(record.get("checkpoint"))):
            return ""
        renew = f"Renew it with vae-export run={shell_word(self._path)}"
        return f"export/ is of a checkpoint that was replaced. {renew}"


class CurrentNumbers:
    """The numbers of a run's folder, without those of checkpoints that were replaced since.

    Args:
        folder: Of the run.
        note: Takes what is left out, and how to renew it.

    Raises:
        UnsafeFile: If nothing in a file can be read.
    """

    def __init__(self, folder: RunFolder, note: Note) -> None:
        self.checkpoints = CurrentCheckpoints(folder)
        results = read_results(folder.results, note)
        try:
            evaluations = read_evaluations(folder.evaluation, note)
        except UnsafeFile as error:
            if not results:
                raise
            evaluations = {}
            note(f"{error}: left out. Its numbers are those of vae-train")
        path = shell_word(folder.path)
        found = read_declared(folder, note)
        declared = {DECLARED: found} if found else {}
        is_current = bool(results) and self.checkpoints.is_current(results, folder.best.name)
        self.results = results | declared if is_current else {}
        self.evaluations = {
            split: record | declared
            for split, record in evaluations.items()
            if self.checkpoints.is_current(record, str(record.get("checkpoint")))
        }
        if results and not self.results:
            rule = "left out, as training was resumed and has not finished"
            note(f"{folder.results.name}: {rule}. Finish it with vae-train resume={path}")
        if old := [split for split in evaluations if split not in self.evaluations]:
            rule = f"left out {', '.join(old)}, measured on a checkpoint that was replaced"
            renew = f"vae-eval run={path}" + f" split={old[0]}" * (old[0] != "test")
            note(f"{folder.evaluation.name}: {rule}. Renew it with {renew}")
        if export := self.checkpoints.old_export():
            note(export)
