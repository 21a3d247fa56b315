"""Runs side by side."""

import csv
import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from pages import EVALUATION, make_run

from vae_cli.commands.compare import main
from vae_cli.report.estimate import resampled_means


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three seeds of two posteriors, and one run of other data."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAE_CLI_CONF", "")
    monkeypatch.setenv("COLUMNS", "200")
    for seed, value in enumerate((-24.0, -25.0, -26.0)):
        make_run(tmp_path / "runs" / f"d{seed}", value, "diagonal", seed)
        make_run(tmp_path / "runs" / f"p{seed}", value + 2, "planar", seed)
    make_run(tmp_path / "runs" / "deeper" / "static", -9.0, binarize="static")
    return tmp_path / "runs"


def table(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, str]]:
    capsys.readouterr()
    assert main([*arguments, "format=csv"]) == 0
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def test_means_over_seeds_best_first(capsys: pytest.CaptureFixture[str]) -> None:
    rows = table(capsys, "runs", "metrics=[log_likelihood,kl]")
    error = f"{1 / math.sqrt(3):.2f}"  # of 0, 1, 2: standard deviation 1
    dynamic = [row for row in rows if "dynamic" in row["treatment"]]
    assert [row["posterior"] for row in dynamic] == ["PlanarPosterior", "DiagonalPosterior"]
    assert [row["log p(x)"] for row in dynamic] == ["-23.00", "-25.00"]
    assert {row["log p(x) error"] for row in dynamic} == {error}
    assert {row["runs"] for row in dynamic} == {"3"}
    (static,) = (row for row in rows if "static" in row["treatment"])  # never beside the others
    assert static["run"] == "runs/deeper/static" and static["log p(x) error"] == "0.30"


def test_each_run_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    rows = table(capsys, "runs", "over=[]", "where=posterior=planar")
    assert [row["seed"] for row in rows] == ["0", "1", "2"]
    assert rows[0]["log p(x) error"] == "0.30"  # over images


def test_the_same_run_again_has_no_spread(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(runs / "z0", -20.0, "diagonal", 0)  # after d0, whose place it takes
    (row,) = table(capsys, "runs", "where=posterior=diagonal,data.binarize=dynamic")
    values = np.array([-20.0, -25.0, -26.0])
    assert (row["runs"], row["log p(x)"]) == ("3", f"{values.mean():.2f}")
    assert row["log p(x) error"] == f"{values.std(ddof=1) / math.sqrt(3):.2f}"


def test_an_evaluation_of_few_numbers_hides_no_others(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = {"test": {"images": 180, "active_units": 7, "checkpoint": "best.ckpt"}}
    (runs / "d0" / "evaluation.json").write_text(json.dumps(few))
    (row,) = table(capsys, "runs/d0")
    assert (row["log p(x)"], row["active"]) == ("-24.00", "7.00")
    few["test"]["checkpoint"] = "last.ckpt"  # another model's numbers do not mix with those
    (runs / "d0" / "evaluation.json").write_text(json.dumps(few))
    assert main(["runs/d0"]) == 2


def make_autoencoder(path: Path, reconstruction: float, seed: int = 0) -> None:
    """A finished run of a model without a prior."""
    make_run(path, seed=seed)
    config = OmegaConf.load(path / "config.yaml")
    config.model._target_ = "vae_cli.model.autoencoder.Autoencoder"
    del config.posterior
    OmegaConf.save(config, path / "config.yaml")
    results = json.loads((path / "results.json").read_text())
    for name in ("elbo", "elbo_se", "kl", "log_likelihood", "log_likelihood_se", "active_units"):
        del results[f"test/{name}"]
    results |= {"test/reconstruction": reconstruction, "validation/reconstruction": -1.0}
    (path / "results.json").write_text(json.dumps(results))


def test_autoencoders_are_compared_by_their_reconstructions(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_autoencoder(runs / "codes" / "a", -21.0)
    make_autoencoder(runs / "codes" / "b", -20.0, seed=1)
    rows = table(capsys, "runs/codes", "over=[]")
    assert [(row["seed"], row["reconstruction"]) for row in rows] == [
        ("1", "-20.00"),
        ("0", "-21.00"),
    ]
    assert rows[0]["validation reconstruction"] == "-1.00" and "ELBO" not in rows[0]
    both = table(capsys, "runs/codes", "runs/d0")
    assert [row["model"] for row in both] == ["Autoencoder", "VAE"]
    assert both[1]["ELBO"] == "-24.80" and not both[0]["ELBO"]
    assert both[1]["reconstruction"] == "-22.40" and "posterior" not in both[0]
    assert "reconstruction" not in table(capsys, "runs/d0", "runs/p0")[0]


def test_the_smallest_error_is_best(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path, error in ((runs / "d0", 0.1234), (runs / "p0", 0.1192)):
        results = json.loads((path / "results.json").read_text())
        results |= {"test/error": error, "test/error_se": 0.0031}
        (path / "results.json").write_text(json.dumps(results))
    rows = table(capsys, "runs", "metrics=[error,elbo]", "where=seed=0,data.binarize=dynamic")
    assert [row["posterior"] for row in rows] == ["PlanarPosterior", "DiagonalPosterior"]
    assert [row["error"] for row in rows] == ["0.119", "0.123"]  # shares have a digit more
    assert rows[0]["error error"] == "0.003"


def test_options_of_a_model_tell_runs_apart(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path, classifier in ((runs / "d0", "svm"), (runs / "d1", "knn")):
        config = OmegaConf.load(path / "config.yaml")
        config.model.classifier, config.seed = classifier, 0
        OmegaConf.save(config, path / "config.yaml")
    rows = table(capsys, "runs", "where=posterior=diagonal,data.binarize=dynamic")
    assert {row["model.classifier"] for row in rows} == {"svm", "knn", ""}


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ("posterior=planar", 3), ("posterior!=planar", 4), ("seed>=1", 4), ("seed<1", 3),
        ("posterior=PlanarPosterior,seed=2", 1), ("seed>0,seed<2", 2), ("latent_dim=2.0", 7),
    ],
)  # fmt: skip
def test_conditions(where: str, count: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(table(capsys, "runs", "over=[]", f"where={where}")) == count


def test_difference_to_the_best(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of two runs whose images are hard alike: the interval is that of the difference alone."""
    generator = np.random.default_rng(1)
    hardness, shift = generator.normal(size=400) * 10, generator.normal(1, 0.5, size=400)
    for name, values in (("p0", hardness), ("d0", hardness - shift)):
        record = {**EVALUATION, "log_likelihood": values.mean(), "images_sha256": "x"}
        (runs / name / "evaluation.json").write_text(json.dumps({"test": record}))
        np.savez(runs / name / "evaluation.npz", **{"test/log_likelihood": values})
    rows = table(capsys, "runs/p0", "runs/d0")
    assert rows[0]["Δ log p(x), 95 %"] == ""
    value, low, high = (
        float(part.strip("()")) for part in rows[1]["Δ log p(x), 95 %"].replace("…", "").split()
    )
    error = 1.96 * shift.std() / math.sqrt(400)
    assert value == pytest.approx(-shift.mean(), abs=0.006)
    assert (low, high) == pytest.approx((value - error, value + error), abs=0.02)


def test_resampled_means_have_the_standard_error() -> None:
    values = np.random.default_rng(0).exponential(size=300)
    means = resampled_means(values)
    assert means.mean() == pytest.approx(values.mean(), abs=0.01)
    assert means.std() == pytest.approx(values.std() / math.sqrt(300), rel=0.06)


def test_formats(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "format=markdown", "output=table.md"]) == 0
    lines = Path("table.md").read_text(encoding="utf-8").splitlines()
    assert "| posterior | runs | log p(x) | ELBO | KL | active |" in lines
    assert "| --- | ---: | ---: | ---: | ---: | ---: |" in lines
    assert main(["runs", "format=latex", "output=table.tex"]) == 0
    text = Path("table.tex").read_text(encoding="utf-8")
    assert r"PlanarPosterior & 3 & -23.00 $\pm$ 0.58" in text
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 2
    capsys.readouterr()
    assert main(["runs"]) == 0
    shown = capsys.readouterr().out
    assert "-23.00 ± 0.58" in shown and "digits test, binarize=static" in shown


def test_mixed_data_are_marked(capsys: pytest.CaptureFixture[str]) -> None:
    rows = table(capsys, "runs", "mixed=true")
    assert len(rows) == 3 and rows[0]["log p(x)"] == "-9.00"


def test_unfinished_and_broken_runs_are_named(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (runs / "d0" / "results.json").unlink()
    (runs / "d1" / "config.yaml").write_text("a: [")
    (runs / "d2" / "results.json").write_text("{")
    assert main(["runs"]) == 0
    notes = capsys.readouterr().err.splitlines()
    assert len(notes) == 3 and all(note.startswith("note: runs/d") for note in notes)
    assert sum("can't be read" in note for note in notes) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "needs folders of runs"),
        (["nowhere"], "run=nowhere: there is no such folder"),
        (["."], ""),
        (["runs", "where=posterior"], "where=posterior: needs conditions"),
        (["runs", "where=posterio=planar"], "Did you mean posterior?"),
        (["runs", "where=seed>9"], "no run meets it"),
        (["runs", "split=train"], "no run there has numbers"),
        (["runs", "metrics=[]"], "needs one number at least"),
        (["runs", "metrics=[elb]"], "metrics=elb: no run has it. Did you mean elbo?"),
        (["runs", "format=word"], "format=word"),
        (["runs", "output=table.md"], "Try format=csv"),
        (["runs", "format=csv", "output=nowhere/table.csv"], "can't be written"),
        (["runs", "colour=red"], "colour=red: there is no such key"),
    ],
)
def test_mistakes(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(arguments)
    lines = capsys.readouterr().err.splitlines()
    assert code == (2 if said else 0) and len([x for x in lines if "note:" not in x]) == bool(said)
    assert said in (lines[-1] if lines else "")
    assert sorted(p.name for p in Path().iterdir()) == ["runs"]


def test_reference_stands_beside_runs_of_its_data(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", "reference=rezende2015"]) == 0
    assert "no run there has the reference's data" in capsys.readouterr().err
    config = (runs / "d0" / "config.yaml").read_text().replace("digits", "binarized_mnist")
    (runs / "d0" / "config.yaml").write_text(config.replace("dynamic", "static"))
    rows = table(capsys, "runs", "reference=rezende2015", "metrics=[elbo]")
    beside = [row for row in rows if "binarized_mnist" in row["treatment"]]
    assert [row["ELBO"] for row in beside][:2] == ["-24.80", "-90.86"]
    assert [row["reference"] for row in beside] == [
        "runs/d0", "planar K=80", "planar K=40", "planar K=20", "planar K=10", "diagonal"
    ]  # fmt: skip
