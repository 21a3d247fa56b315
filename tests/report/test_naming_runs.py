"""How a command line names runs, and how tables do."""

import doctest
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from pages import make_run

from vae_cli.commands import report, train
from vae_cli.commands.runs import find_run, find_runs, runs_of
from vae_cli.config.request import Request
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.run import short_names as naming
from vae_cli.run.short_names import name_together, short_names

A1, A2 = "outputs/digits_vae/2026-11-01", "outputs/digits_vae/2026-11-02"
S1, S10 = "outputs/sweeps/x/beta-1__seed-1", "outputs/sweeps/x/beta-1__seed-10"
OTHER = "elsewhere/first"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs, of which A1 was resumed last, and S10 is the best of its sweep."""
    place = tmp_path_factory.mktemp("place")
    for path, value in ((A1, -24.0), (A2, -25.0), (S1, -26.0), (S10, -23.0), (OTHER, -9.0)):
        run = make_run(place / path, value)
        (run / "m1").mkdir()
        (run / "m1" / "overrides.yaml").write_text("[]")  # a part of the run
    os.utime(place / A1 / "overrides.yaml", (2e9, 2e9))
    make_run(place / "outputs" / "sweeps" / "mixed" / "a", binarize="static")
    make_run(place / "outputs" / "sweeps" / "mixed" / "b")
    (place / "outputs" / "link").symlink_to(place / OTHER)
    (place / "empty").mkdir()
    return place


@pytest.fixture(autouse=True)
def _there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)


NAMED: list[tuple[str, Sequence[str]]] = [
    (A1, [A1]),
    (f"'{A1}'", [A1]),
    (f"{A1},{OTHER}", [A1, OTHER]),
    ("outputs/digits_vae/*", [A1, A2]),
    ("outputs/d*/2026-11-0[2-9]", [A2]),
    ("last", [A1]),
    ("last:elsewhere", [OTHER]),
    ("best:outputs/sweeps/x", [S10]),
    ("outputs/sweeps/x/beta-1__seed-10", [S10]),
    ("elsewhere/f", [OTHER]),  # the beginning of a path
    ("2026-11-02", [A2]),  # … of a name under outputs
    ("digits_vae/2026-11-02", [A2]),
    ("beta-1__seed-1", [S1]),  # the whole name comes before a longer one
    ("beta-*", [S1, S10]),
    ("x/beta-*0,last", [S10, A1]),
]


@pytest.mark.parametrize(("word", "paths"), NAMED)
@pytest.mark.filterwarnings("ignore::vae_cli.errors.Notice")
def test_words_name_runs(word: str, paths: Sequence[str]) -> None:
    assert list(find_runs("run", word)) == paths
    if len(paths) == 1:
        assert find_run("resume", word) == paths[0]


REFUSED = [
    ("2026-11", r"2 runs match \(.*01, .*02\)\. Try run=outputs/digits_vae/2026-11-02\."),
    ("digits_vae", r"has such a name\. Try run=last, or vae-compare outputs\."),
    ("outputs/digits_vae", r"holds 2\. Try run=.*01 or run=best:outputs/digits_vae\."),
    ("nothing*", "no folder of a run matches the pattern"),
    ("last:empty", "there is no run under empty"),
    ("best:nowhere", "there is no folder nowhere"),
    ("best:outputs/sweeps/mixed", "differ in data or treatment. Try vae-compare outputs"),
    ("x" * 5000, "there is no such folder"),
]  # fmt: skip


@pytest.mark.parametrize(("word", "told"), REFUSED)
def test_words_that_name_no_run_or_several(word: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        list(find_runs("run", word))


def test_one_run_is_needed() -> None:
    with pytest.raises(ConfigError, match=r"resume=outputs/digits_vae/.*: needs one run, but"):
        find_run("resume", "outputs/digits_vae/*")
    with pytest.raises(VaeCliError, match=r"Try vae-eval run=last\."):
        runs_of(Request("eval"))
    request = Request.of("eval", [f"run={A1}", f"++run=./{A1}"])
    assert runs_of(request) == [f"./{A1}"]


def test_commands_say_which_run_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert report.main(["run=last", "output=page.html"]) == 0
    assert f"note: run=last is {A1}\n" in capsys.readouterr().err
    assert train.main(["resume=2026-11"]) == 2
    assert "resume=2026-11: 2 runs match" in capsys.readouterr().err


def test_tables_name_runs_shortly() -> None:
    assert doctest.testmod(naming).failed == 0
    names = short_names([A1, S1, S10, OTHER])
    assert [*names.values()] == ["2026-11-01", "beta-1__seed-1", "beta-1__seed-10", "first"]
    assert short_names(["a/b", "./a/b", "c/b"])["c/b"] == "c/b"
    every = ["ab", "abab", "aab", "seed-1", "seed-2", "seed-2-x"]
    assert name_together(["ab", "abab"], every) == "ab*"  # ab*ab would not fit ab
    assert name_together(["seed-1", "seed-2"], every) == "seed-1 +1"  # the third fits seed-*, too
    assert name_together(["seed-1", "seed-2"], every[:-1]) == "seed-*"
    assert name_together(["x", "y"], ["x", "y"]) == "x +1"
