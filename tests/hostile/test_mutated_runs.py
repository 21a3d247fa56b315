"""Runs of every model with something changed at random: opening them does nothing else.

VAE_CLI_FUZZ says how many: 10,000 take most of an hour.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import mutated_runs
import pytest
import trial
from openings import ALL

COUNT = int(os.environ.get("VAE_CLI_FUZZ", "20"))
BATCH = 10  # cases a test


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    bases = {mutated_runs.case(number)[0].base for number in range(COUNT)}
    needed = bases | ({"m1"} if "m1_m2" in bases else set())
    models = ("vae", *(name for name in mutated_runs.MODELS if name in needed - {"vae"}))
    with trial.settled(tmp_path_factory.mktemp("place"), models) as folder:
        yield folder


@pytest.mark.parametrize("batch", range(-(-COUNT // BATCH)))
def test_nothing_happens_but_what_is_asked(batch: int, place: Path) -> None:
    failures = []
    for number in range(batch * BATCH, min((batch + 1) * BATCH, COUNT)):
        failures += check(number, place)
    assert not failures, "\n".join(map(str, failures))


def check(number: int, place: Path) -> list[dict[str, object]]:
    """What goes wrong with a case."""
    row, opening = mutated_runs.case(number)
    outcome = trial.attempt(row, opening, place, trial.spoiled(row, place))
    return [trial.report(row, opening, outcome)] if outcome.problems else []


def test_every_opening_is_tried_on_every_model() -> None:
    cases = map(mutated_runs.case, range(5000))
    tried = {(row.base, opening) for row, opening in cases}
    assert tried == {(model, name) for model in mutated_runs.MODELS for name in ALL}
