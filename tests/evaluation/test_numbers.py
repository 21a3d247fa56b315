"""Numbers in a run's folder, that several commands add to at once."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vae_cli.errors import VaeCliError
from vae_cli.evaluation import numbers
from vae_cli.evaluation.numbers import (
    Measured,
    read_evaluation,
    update_evaluation,
    update_finetuned,
)
from vae_cli.run.folder import RunFolder

WRITERS, ROUNDS = 6, 6
BASIS = {"checkpoint": "best.ckpt", "seed": 0}


def found_by(writer: int, number: int) -> Measured:
    name = f"metric-{writer}-{number}"
    settings = {"metric": {name: {"samples": number}}, "analysis": {}}
    return Measured(settings, {name: number}, {name: np.full(5, number)})


def write_many(path: str, writer: int) -> None:
    folder = RunFolder(path)
    for number in range(ROUNDS):
        update_evaluation(folder, {**BASIS, "split": "test"}, found_by(writer, number))
        update_evaluation(folder, {**BASIS, "split": f"split-{writer}"}, found_by(writer, number))
        update_finetuned(folder, f"{writer}-{number}", {"accuracy": number})


def test_commands_at_once_lose_no_numbers(tmp_path: Path) -> None:
    with ThreadPoolExecutor(WRITERS) as pool:  # a lock belongs to an open file, not to a process
        list(pool.map(lambda writer: write_many(str(tmp_path), writer), range(WRITERS)))
    folder = RunFolder(tmp_path)
    names = {f"metric-{w}-{n}" for w in range(WRITERS) for n in range(ROUNDS)}
    notes: list[str] = []
    whole = read_evaluation(folder, {**BASIS, "split": "test"}, notes.append)
    assert whole["settings"]["metric"].keys() == names <= whole.keys() and not notes
    with np.load(folder.evaluated) as values:
        assert {f"test/{name}" for name in names} <= {*values}
        assert len({*values}) == 2 * len(names)
    assert len(json.loads(folder.finetuned.read_text())) == len(names)
    assert {path.name for path in tmp_path.iterdir()} == {
        "evaluation.json", "evaluation.npz", "finetune.json", "numbers.lock",
    }  # fmt: skip


def test_a_timeout_names_the_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "WAIT", 0.0)
    folder = RunFolder(tmp_path)
    with (
        folder.locked(numbers.LOCK, 0, "run", ""),
        pytest.raises(VaeCliError, match=r"process \d+ on .* has been writing numbers there"),
    ):
        update_finetuned(folder, "x", {})


FORGED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "text": lambda record: {**record, "elbo": "\x1b[31m"},
    "nested": lambda record: {**record, "elbo": {"_target_": "os.system"}},
    "truth": lambda record: {**record, "elbo": True},
    "infinite": lambda record: {**record, "elbo": 1e999},
    "no settings": lambda record: {k: v for k, v in record.items() if k != "settings"},
    "settings": lambda record: {**record, "settings": {"metric": 1, "analysis": {}}},
    "basis": lambda record: {**record, "seed": 1},
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_only_numbers_are_taken_from_a_file(
    forge: Callable[[dict[str, Any]], dict[str, Any]], tmp_path: Path
) -> None:
    folder, basis = RunFolder(tmp_path), {**BASIS, "split": "test"}
    record = update_evaluation(folder, basis, found_by(0, 1))
    assert read_evaluation(folder, basis, lambda _: None) == record
    folder.evaluation.write_text(json.dumps({"test": forge(record)}))
    assert read_evaluation(folder, basis, lambda _: None) == {}
