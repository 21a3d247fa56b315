"""Stored numbers of the checkpoints that a run has now: a resumed run leaves older ones behind."""

from collections.abc import Mapping
from typing import Any

from vae_cli.errors import shell_word
from vae_cli.files import UnsafeFile
from vae_cli.run.declared import DECLARED, read_declared
from vae_cli.run.files import sha256_of
from vae_cli.run.folder import RunFolder
from vae_cli.run.recorded import Note, read_evaluations, read_results

DIGEST = "checkpoint_sha256"  # key of a record


class CurrentNumbers:
    """The numbers of a run's folder, without those of checkpoints that were replaced since.

    Args:
        folder: Of the run.
        note: Takes what is left out, and how to renew it.

    Raises:
        UnsafeFile: If nothing in a file can be read.
    """

    def __init__(self, folder: RunFolder, note: Note) -> None:
        self._folder, self._digests = folder, dict[str, str]()
        results = read_results(folder.results, note)
        evaluations = read_evaluations(folder.evaluation, note)
        path = shell_word(folder.path)
        found = read_declared(folder, note)
        declared = {DECLARED: found} if found else {}
        is_current = bool(results) and self._is_current(results, folder.best.name)
        self.results = results | declared if is_current else {}
        self.evaluations = {
            split: record | declared
            for split, record in evaluations.items()
            if self._is_current(record, str(record.get("checkpoint")))
        }
        if results and not self.results:
            rule = "left out, for training went on and has not finished"
            note(f"{folder.results.name}: {rule}. Finish it with vae-train resume={path}")
        if old := [split for split in evaluations if split not in self.evaluations]:
            rule = f"left out {', '.join(old)}, measured of a checkpoint that was replaced"
            renew = f"vae-eval run={path}" + f" split={old[0]}" * (old[0] != "test")
            note(f"{folder.evaluation.name}: {rule}. Renew it with {renew}")

    def is_current_picture(self, digest: str | None) -> bool:
        """Whether a picture of a checkpoint is of one that is there; True if nobody knows."""
        files = [file.name for file in (self._folder.best, self._folder.last) if file.is_file()]
        return not files or any(self._is_current({DIGEST: digest}, name) for name in files)

    def _is_current(self, record: Mapping[str, Any], checkpoint: str) -> bool:
        """Whether a record is of the checkpoint that is there; True if nobody knows."""
        known = record.get(DIGEST)
        files = {file.name: file for file in (self._folder.best, self._folder.last)}
        if known is None or checkpoint not in files or not files[checkpoint].is_file():
            return True
        if checkpoint not in self._digests:
            try:
                self._digests[checkpoint] = sha256_of(files[checkpoint])
            except UnsafeFile:
                self._digests[checkpoint] = ""
        return self._digests[checkpoint] == known
