"""Runs of every model with something changed at random: opening them does nothing else.

VAE_CLI_FUZZ says how many; 10,000 take an hour.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import mutated_runs
import pytest
import trial
from openings import ALL

COUNT = int(os.environ.get("VAE_CLI_FUZZ", "100"))
BATCH = 20  # cases a test


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    models = ("vae", *(name for name in mutated_runs.MODELS if name != "vae"))
    with trial.settled(tmp_path_factory.mktemp("place"), models) as folder:
        yield folder


@pytest.mark.parametrize("batch", range(-(-COUNT // BATCH)))
def test_nothing_happens_but_what_is_asked(batch: int, place: Path) -> None:
    failures = []
    for number in range(batch * BATCH, min((batch + 1) * BATCH, COUNT)):
        failures += check(number, place)
    assert not failures


def check(number: int, place: Path) -> list[dict[str, object]]:
    """What goes wrong with a case."""
    case, found = mutated_runs.case(number), []
    for name in case.openings:
        run = trial.spoiled(case.row, place)
        outcome = trial.attempt(case.row, name, place, run)
        if outcome.problems:
            found.append(trial.report(case.row, name, outcome))
    return found


def test_every_opening_is_tried_on_every_model() -> None:
    cases = [mutated_runs.case(number) for number in range(2000)]
    tried = {(case.row.base, name) for case in cases for name in case.openings}
    assert tried == {(model, name) for model in mutated_runs.MODELS for name in ALL}
