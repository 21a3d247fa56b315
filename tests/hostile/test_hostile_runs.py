"""A stranger's run is data: whatever its files hold, opening it does nothing but what is asked.

With VAE_CLI_HOSTILE=1 every row is tried on every opening, which takes an hour. Without, one row
in sixteen is tried, on one or two openings, which differ from row to row.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import guard
import pytest
import rows_damage
import rows_links
import rows_numbers
import rows_parts
import rows_resume
import rows_sizes
import rows_stages
import rows_text
import trial
from openings import ALL, COSTLY
from rows import Row
from strange_run import put

MODULES = (
    rows_parts, rows_resume, rows_stages, rows_links, rows_text, rows_sizes, rows_numbers,
    rows_damage,
)  # fmt: skip
TABLE: list[Row] = list(chain.from_iterable(module.rows() for module in MODULES))
SHARE = 16  # of so many rows one is tried
EACH = bool(os.environ.get("VAE_CLI_HOSTILE"))


def title(number: int) -> str:
    """A row's name among those of tests."""
    return ascii(f"{TABLE[number].kind} {TABLE[number].name}")[1:60]


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


@pytest.mark.parametrize("number", range(0, len(TABLE), 1 if EACH else SHARE), ids=title)
def test_nothing_happens_but_what_is_asked(number: int, place: Path) -> None:
    row = TABLE[number]
    run, failures = trial.spoiled(row, place), []
    for name in chosen(number):
        outcome = trial.attempt(row, name, place, run)
        if outcome.problems:
            failures.append(trial.report(row, name, outcome))
        if outcome.code != 2:  # the folder may have changed
            run = trial.spoiled(row, place)
    assert not failures, "\n".join(map(str, failures))


def chosen(number: int) -> list[str]:
    """The openings that a row is tried on, most of them cheap ones."""
    names = sorted(trial.ways(TABLE[number]))
    if EACH:
        return names
    turn = number // SHARE
    cheap = [name for name in names if name not in COSTLY]
    costly = [name for name in names if name in COSTLY]
    found = [cheap[turn % len(cheap)]]
    if costly and turn % 8 == 0:
        found.append(costly[turn // 8 % len(costly)])
    elif TABLE[number].kind in (3, 4) and turn % 2:  # which are about what resume reads
        found.append("resume")
    return found


def test_in_a_process(place: Path) -> None:
    """What reaches a terminal, warnings and the output of libraries in C included."""
    (row,) = (row for row in TABLE if row.name == "records: a title of the terminal")
    run = trial.spoiled(row, place)
    run.everywhere(put("model.encoder._target_", "os.mkdir\x1b[2J"))
    before = guard.snapshot(place)
    argument = f"run={trial.STRANGER}/run"
    code = f"import sys; from vae_cli.commands.eval import main; sys.exit(main([{argument!r}]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2 and not done.stdout and b"os.mkdir" in line and b"\x1b" not in line
    changed = guard.snapshot(place).items() ^ before.items()
    own = str(place / trial.OUTSIDE / "home")  # where matplotlib keeps a list of fonts
    assert not [path for path, _ in changed if not path.startswith(own)]
