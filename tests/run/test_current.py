"""Numbers of a checkpoint that was replaced are left out, with the command that renews them."""

import json
from pathlib import Path
from typing import Any

import pytest

from vae_cli.run.current import CurrentCheckpoints, CurrentNumbers
from vae_cli.run.files import sha256_of
from vae_cli.run.folder import RunFolder

RESULTS = {"test/elbo": -20.0, "train/steps": 5}


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A finished run, of which both checkpoints have been measured."""
    folder = RunFolder.create(str(tmp_path / "a run"), is_named=True)
    folder.best.write_bytes(b"best")
    folder.last.write_bytes(b"last")
    records = {
        split: {"checkpoint": file.name, "checkpoint_sha256": sha256_of(file), "elbo": -19.0}
        for split, file in (("test", folder.best), ("validation", folder.last))
    }
    folder.evaluation.write_text(json.dumps(records))
    folder.results.write_text(json.dumps({**RESULTS, "checkpoint_sha256": sha256_of(folder.best)}))
    return folder


def read(folder: RunFolder) -> tuple[dict[str, Any], list[str], list[str]]:
    notes: list[str] = []
    numbers = CurrentNumbers(folder, notes.append)
    return numbers.results, sorted(numbers.evaluations), notes


def test_numbers_of_the_checkpoints_that_are_there(folder: RunFolder) -> None:
    results, splits, notes = read(folder)
    assert results["test/elbo"] == -20.0 and splits == ["test", "validation"] and not notes
    folder.best.unlink()
    folder.last.unlink()  # as of a folder that was sent without them
    assert read(folder) == (results, splits, [])


def test_numbers_of_replaced_checkpoints(folder: RunFolder) -> None:
    folder.last.write_bytes(b"later")
    results, splits, notes = read(folder)
    assert results and splits == ["test"]
    (note,) = notes
    assert "left out validation" in note
    assert note.endswith(f"Renew it with vae-eval run='{folder.path}' split=validation")
    folder.best.write_bytes(b"better")
    results, splits, notes = read(folder)
    assert (results, splits, len(notes)) == ({}, [], 2)
    assert f"Finish it with vae-train resume='{folder.path}'" in notes[0]


def test_a_damaged_evaluation_hides_no_results(folder: RunFolder) -> None:
    folder.evaluation.write_text("{")
    results, splits, (note,) = read(folder)
    assert results["test/elbo"] == -20.0 and not splits
    assert "evaluation.json" in note and note.endswith("Its numbers are those of vae-train")


def test_an_export_of_a_replaced_checkpoint(folder: RunFolder) -> None:
    export = folder.path / "export"
    export.mkdir()
    record = {"checkpoint": "best.ckpt", "checkpoint_sha256": sha256_of(folder.best)}
    (export / "export.json").write_text(json.dumps(record))
    assert not read(folder)[2]
    folder.best.write_bytes(b"better")
    assert read(folder)[2][-1].endswith(f"vae-export run='{folder.path}'")
    (export / "export.json").write_text("{")
    assert CurrentCheckpoints(folder).old_export() == ""


def test_records_that_say_nothing_of_a_checkpoint_stay(folder: RunFolder) -> None:
    folder.results.write_text(json.dumps(RESULTS))  # as of an earlier version
    folder.evaluation.write_text(
        json.dumps({"test": {"checkpoint": "../../x", "checkpoint_sha256": "0"}})
    )
    assert read(folder) == (RESULTS, ["test"], [])
    folder.best.unlink()
    folder.best.symlink_to(folder.last)  # which is not followed
    folder.results.write_text(json.dumps({**RESULTS, "checkpoint_sha256": "0"}))
    assert read(folder)[0] == {}
