"""A stranger's run is data: whatever its files hold, opening it does nothing but what is asked.

Each row is tried on two openings, another two in each row; with VAE_CLI_HOSTILE=1 on all of them.
"""

import os
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
import rows_damage
import rows_links
import rows_parts
import rows_resume
import rows_sizes
import rows_stages
import rows_text
import trial
from openings import ALL
from rows import Row

MODULES = (
    rows_parts, rows_resume, rows_stages, rows_links, rows_text, rows_sizes, rows_damage
)  # fmt: skip
TABLE: list[Row] = list(chain.from_iterable(module.rows() for module in MODULES))
EACH = bool(os.environ.get("VAE_CLI_HOSTILE"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with trial.settled(tmp_path_factory.mktemp("place"), ("vae", "m1", "m1_m2")) as folder:
        yield folder


def test_there_are_enough() -> None:
    kinds = Counter(row.kind for row in TABLE)
    assert len(TABLE) >= 120 and set(kinds) == {*range(1, 11), 12, 14}
    assert len({row.name for row in TABLE}) == len(TABLE)


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_run_as_it_was_is_opened(name: str, place: Path) -> None:
    row = Row(0, "nothing", lambda run: run.everywhere(lambda config: None))
    outcome = trial.attempt(row, name, place, trial.spoiled(row, place))
    assert outcome.code == 0 and not outcome.problems, trial.report(row, name, outcome)


@pytest.mark.parametrize("number", range(len(TABLE)), ids=lambda i: f"{TABLE[i].kind}-{TABLE[i].name}")
def test_nothing_happens_but_what_is_asked(number: int, place: Path) -> None:
    row = TABLE[number]
    run, failures = trial.spoiled(row, place), []
    for name in chosen(number):
        outcome = trial.attempt(row, name, place, run)
        if outcome.problems:
            failures.append(trial.report(row, name, outcome))
        if outcome.code != 2:  # the folder may have changed
            run = trial.spoiled(row, place)
    assert not failures


def chosen(number: int) -> list[str]:
    """The openings of a row: of those that must refuse it one, and one of the others."""
    row = TABLE[number]
    names = sorted(trial.ways(row))
    if EACH:
        return names
    refusing = [name for name in names if name in row.refused]
    others = [name for name in names if name not in row.refused]
    return [group[number % len(group)] for group in (refusing, others) if group]
