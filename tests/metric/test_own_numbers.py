"""A number of the user's own metric is in every table, and ranked by its direction."""

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from vae_cli.commands.compare import main as compare
from vae_cli.commands.eval import main as evaluate
from vae_cli.commands.report import main as report
from vae_cli.commands.train import main as train
from vae_cli.run.declared import read_declared
from vae_cli.run.folder import RunFolder

METRIC = """
from vae_cli.metric.base import Metric, mean_and_error
from vae_cli.number import Number


class Clutter(Metric):
    is_costly = False
    declares = (
        Number("clutter", "clutter of z", "knots", "knots in {latent_dim} strings",
               larger_is_better=False, digits=4),
        Number("colour", "colour of z"),
    )

    def values(self, model, batch, q):
        return {"clutter": q.mean.new_full((len(batch.x),), model.latent_dim / 2)}

    def result(self, moments):
        return {**mean_and_error("clutter", moments["clutter"]), "colour": 7.0}
"""
QUICK = ["trainer.progress=false", "figure=[]", "metric=[clutter]", "trainer.max_steps=2"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The metric's module and yaml, and a search with two trials of which the second is better."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "own_clutter.py").write_text(METRIC)
    (folder / "conf" / "metric").mkdir(parents=True)
    yaml = "clutter:\n  _target_: own_clutter.Clutter\n"
    (folder / "conf" / "metric" / "clutter.yaml").write_text(yaml)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
        patch.setenv("COLUMNS", "200")
        search = ["sweep=optuna", "sweep.objectives=[validation/clutter]", "sweep.trials=2"]
        chance = ["sweep.sampler=random", "sweep.seed=2", "latent_dim=2,4"]  # 4 comes first
        assert train(["-m", *search, *chance, "hydra.sweep.dir=swept", *QUICK]) == 0
        yield folder


def runs(place: Path) -> list[Path]:
    return [
        place / "swept" / name for name in ("trial-000__latent_dim-4", "trial-001__latent_dim-2")
    ]


def test_declarations_are_beside_the_numbers(place: Path) -> None:
    for run in runs(place):
        clutter, colour = read_declared(RunFolder(run)).values()
        assert (clutter.unit, clutter.digits, clutter.larger_is_better) == ("knots", 4, False)
        assert colour.larger_is_better is None


def test_summary(place: Path) -> None:
    said = (runs(place)[0] / "output.txt").read_text()
    (line,) = (line.split() for line in said.splitlines() if " test/clutter " in line)
    assert line == ["test/clutter", "2.0000", "knots", "knots", "in", "4", "strings"]


def test_tensorboard(place: Path) -> None:
    folder = runs(place)[0]
    curves = EventAccumulator(str(folder / "validation")).Reload()
    assert curves.Scalars("overview/clutter")[-1].value == 2
    events = EventAccumulator(str(folder)).Reload()
    assert events.Scalars("validation/clutter")[-1].value == 2
    assert events.Scalars("test/clutter")[-1].value == 2  # a metric of the HPARAMS tab
    layout = events.Tensors("custom_scalars__config__")[0].tensor_proto.string_val[0]
    assert b"overview/clutter$" in layout and b"clutter of z" in layout


def test_sweep(place: Path) -> None:
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{place}/swept/study.db")
    assert study.direction.name == "MINIMIZE" and study.best_value == 1
    rows = csv.DictReader((place / "swept" / "sweep.csv").read_text().splitlines())
    assert {row["latent_dim"]: row["clutter of z"] for row in rows} == {"2": "1.0", "4": "2.0"}
    assert "| clutter of z |" in (place / "swept" / "sweep.md").read_text()


def test_vae_eval(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(run.relative_to(place)) for run in runs(place)]
    for path in paths:
        for _ in range(2):  # measured, and as it is stored
            assert evaluate([f"run={path}", "metric=[clutter]", "trust=true"]) == 0
            (line,) = (
                li.split() for li in capsys.readouterr().out.splitlines() if " clutter " in li
            )
            assert line[2:] == f"knots knots in {path[-1]} strings".split()
    assert evaluate([f"run={','.join(paths)}", "metric=[clutter]", "trust=true"]) == 0
    assert "clutter of z" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["terminal", "csv", "markdown", "latex"])
def test_vae_compare_ranks_the_smallest_first(
    place: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(["swept", f"format={form}"]) == 0
    assert "clutter of z" in capsys.readouterr().out
    assert compare(["swept", f"format={form}", "metrics=[clutter]", "rank=test"]) == 0
    out = capsys.readouterr().out.replace("\\", "")  # of latex
    assert 0 < out.index("latent_dim-2") < out.index("latent_dim-4")
    assert ("1.0" if form == "csv" else "1.0000") in out


def test_a_number_without_a_direction_ranks_nothing(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(["swept", "metrics=[colour]", "rank=test"]) == 2
    assert "metrics=colour: has no direction" in capsys.readouterr().err
    assert compare(["swept", "metrics=[colour]"]) == 0
    words = ["-m", "sweep=optuna", "sweep.objectives=[validation/colour]", "latent_dim=2,4"]
    assert train([*words, "hydra.sweep.dir=by_colour", *QUICK]) == 2
    assert "validation/colour: has no direction" in capsys.readouterr().err
    assert not (place / "by_colour").exists()


def test_vae_report(place: Path) -> None:
    paths = ",".join(str(run) for run in runs(place))
    assert report([f"run={paths}", "output=both.html"]) == 0
    page = (place / "both.html").read_text()
    assert page.count("clutter of z") >= 2 and "knots in 4 strings" in page
    assert report([f"run={runs(place)[0]}", "output=one.html"]) == 0
    assert (place / "one.html").read_text().count("clutter of z") >= 2  # headline and chart


@pytest.mark.parametrize(
    "fields",
    [
        {"digits": -1}, {"digits": True}, {"digits": 1e9}, {"larger_is_better": "yes"},
        {"meaning": "x" * 1000}, {"unit": 3}, {"tables": ["nowhere"]}, {"tables": "rows"},
        {"unknown": 1}, {"column": -5}, {"name": "other"}, {"tables": 3}, "text", None,
    ],
    ids=str,
)  # fmt: skip
def test_invalid_declarations_are_left_out(fields: object, tmp_path: Path) -> None:
    """A folder can come from anybody; nor may it redefine what the package declares."""
    folder, notes = RunFolder(tmp_path), list[str]()
    right = {"larger_is_better": False, "digits": None, "meaning": "{a.__class__}"}
    content = {"wrong": fields, "right": right, "elbo": {"larger_is_better": False}}
    folder.declared.write_text(json.dumps(content))
    found = read_declared(folder, notes.append)
    assert [*found] == ["right"] and found["right"].larger_is_better is False
    assert notes == ["numbers.json: left out 2 invalid declarations"]


def test_runs_that_disagree_about_a_direction_are_not_ranked(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = runs(place)[0] / "numbers.json"
    before = file.read_text()
    file.write_text(before.replace('"larger_is_better": false', '"larger_is_better": true'))
    try:
        assert compare(["swept", "metrics=[clutter]", "rank=test"]) == 2
    finally:
        file.write_text(before)
    assert "has no direction" in capsys.readouterr().err
