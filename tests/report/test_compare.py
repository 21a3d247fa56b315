"""Runs side by side."""

import csv
import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from pages import EVALUATION, evaluate_run, make_run

from vae_cli.commands.compare import main
from vae_cli.report.measured import with_validation
from vae_cli.run.folder import RunFolder
from vae_cli.terminal.comparable import comparable
from vae_cli.terminal.quantity import quantity


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
    error = str(1 / math.sqrt(3))  # of 0, 1, 2: standard deviation 1
    dynamic = [row for row in rows if "dynamic" in row["treatment"]]
    assert [row["posterior"] for row in dynamic] == ["planar", "diagonal"]
    assert [row["log p(x)"] for row in dynamic] == ["-23.0", "-25.0"]
    assert {row["log p(x) error"] for row in dynamic} == {error}  # in full
    assert {row["log p(x) error over"] for row in dynamic} == {"runs"}
    assert {row["runs"] for row in dynamic} == {"3"}
    (static,) = (row for row in rows if "static" in row["treatment"])  # never beside the others
    assert static["run"] == "runs/deeper/static" and static["log p(x) error"] == "0.3"


def test_each_run_alone(capsys: pytest.CaptureFixture[str]) -> None:
    rows = table(capsys, "runs", "over=[]", "where=posterior=planar")
    assert [row["seed"] for row in rows] == ["0", "1", "2"]
    assert (rows[0]["log p(x) error"], rows[0]["log p(x) error over"]) == ("0.3", "images")


def test_the_same_run_again_has_no_spread(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(runs / "z0", -20.0, "diagonal", 0)  # after d0, whose place it takes
    (row,) = table(capsys, "runs", "where=posterior=diagonal,data.binarize=dynamic")
    values = np.array([-20.0, -25.0, -26.0])
    assert (row["runs"], float(row["log p(x)"])) == ("3", pytest.approx(values.mean()))
    assert float(row["log p(x) error"]) == pytest.approx(values.std(ddof=1) / math.sqrt(3))


def test_an_evaluation_of_few_numbers_hides_no_others(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = {"test": {"images": 180, "active_units": 7, "checkpoint": "best.ckpt"}}
    (runs / "d0" / "evaluation.json").write_text(json.dumps(few))
    (row,) = table(capsys, "runs/d0")
    assert (row["log p(x)"], row["active units"]) == ("-24.0", "7.0")
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
    del results["validation/elbo"]
    results |= {"test/reconstruction": reconstruction, "validation/reconstruction": reconstruction}
    (path / "results.json").write_text(json.dumps(results))


def test_autoencoders_are_compared_by_their_reconstructions(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_autoencoder(runs / "codes" / "a", -21.0)
    make_autoencoder(runs / "codes" / "b", -20.0, seed=1)
    rows = table(capsys, "runs/codes", "over=[]")
    assert [(row["seed"], row["reconstruction"]) for row in rows] == [
        ("1", "-20.0"),
        ("0", "-21.0"),
    ]
    assert rows[0]["validation reconstruction"] == "-20.0" and "ELBO" not in rows[0]
    both = table(capsys, "runs/codes", "runs/d0")
    assert {row["model"]: row["ELBO"] for row in both} == {"autoencoder": "", "vae": "-24.8"}
    assert "posterior" not in both[0]
    assert "reconstruction" not in table(capsys, "runs/d0", "runs/p0")[0]


def test_the_smallest_error_is_best(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path, error in ((runs / "d0", 0.1234), (runs / "p0", 0.1192)):
        results = json.loads((path / "results.json").read_text())
        results |= {"test/error": error, "test/error_se": 0.0031}
        (path / "results.json").write_text(json.dumps(results))
    where = "where=seed=0,data.binarize=dynamic"
    rows = table(capsys, "runs", "metrics=[error,elbo]", where, "rank=test")
    assert [row["posterior"] for row in rows] == ["planar", "diagonal"]
    assert [row["error"] for row in rows] == ["0.1192", "0.1234"]
    assert rows[0]["error error"] == "0.0031"


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


def keep_values(folder: Path, key: str, values: np.ndarray, **others: np.ndarray) -> None:
    """Puts an evaluation with the values of each image into a run's folder."""
    record = {**EVALUATION, key: values.mean(), f"{key}_se": 0.3, "images_sha256": "x"}
    (folder / "evaluation.json").write_text(json.dumps({"test": record}))
    arrays = {f"test/{name}": array for name, array in {key: values, **others}.items()}
    np.savez(folder / "evaluation.npz", **arrays)


def test_values_of_a_replaced_checkpoint_make_no_interval(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, shift in (("d0", 0.0), ("p0", 1.0)):
        keep_values(runs / name, "log_likelihood", shift + np.arange(200) / 100)
    before = table(capsys, "runs/d0", "runs/p0")[1]
    assert "images" in before["Δ log p(x), 95% interval over"]
    for name in ("d0", "p0"):
        file = runs / name / "evaluation.json"
        record = json.loads(file.read_text())["test"]
        file.write_text(json.dumps({"test": {**record, "checkpoint_sha256": "0"}}))
        (runs / name / "checkpoints").mkdir()
        (runs / name / "checkpoints" / "best.ckpt").write_bytes(b"later")
    after = table(capsys, "runs/d0", "runs/p0")[1]
    assert not any(value for head, value in after.items() if head.startswith("Δ"))


def interval(row: dict[str, str], head: str) -> tuple[float, float, float]:
    return tuple(float(row[f"Δ {head}, 95%{end}"]) for end in ("", " low", " high"))  # type: ignore[return-value]


def test_difference_over_images(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of two runs whose images are hard alike: the interval is that of the difference alone."""
    generator = np.random.default_rng(1)
    hardness, shift = generator.normal(size=400) * 10, generator.normal(1, 0.5, size=400)
    keep_values(runs / "p0", "log_likelihood", hardness)
    keep_values(runs / "d0", "log_likelihood", hardness - shift)
    rows = table(capsys, "runs/p0", "runs/d0")
    (other,) = (row for row in rows if row["Δ log p(x), 95%"])
    value, low, high = interval(other, "log p(x)")
    error = 1.97 * shift.std(ddof=1) / math.sqrt(400)
    assert abs(value) == pytest.approx(shift.mean())
    assert (low, high) == pytest.approx((value - error, value + error), abs=1e-3)
    assert other["Δ log p(x), 95% interval over"] == "images only"


def test_difference_over_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    rows = table(capsys, "runs", "where=data.binarize=dynamic")
    (other,) = (row for row in rows if row["Δ log p(x), 95%"])
    assert other["Δ log p(x), 95% interval over"] == "runs only"
    half = 2.776 * math.sqrt(2 / 3)  # three and three seeds of standard deviation 1
    value, low, high = interval(other, "log p(x)")
    assert (high - low) / 2 == pytest.approx(half, rel=1e-3) and abs(value) == pytest.approx(2)


def test_images_without_a_label_do_not_count(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are kept as zeros, which would make the difference of errors smaller than it is."""
    labelled = np.arange(200) % 2.0
    keep_values(runs / "p0", "error", np.zeros(200), labelled=labelled)
    keep_values(runs / "d0", "error", labelled * (np.arange(200) < 40), labelled=labelled)
    for name, error in (("p0", 0.0), ("d0", 0.2)):
        file = runs / name / "evaluation.json"
        record = json.loads(file.read_text())
        record["test"]["error"] = error
        file.write_text(json.dumps(record))
    rows = table(capsys, "runs/p0", "runs/d0", "metrics=[error]")
    (other,) = (row for row in rows if row["Δ error, 95%"])
    value, low, high = interval(other, "error")
    assert abs(value) == pytest.approx(0.2)
    assert (high - low) / 2 == pytest.approx(1.984 * math.sqrt(0.2 * 0.8 / 99), rel=1e-3)


def test_numbers_measured_in_other_ways_are_apart(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """S = 200 at the end of training and S = 5000 by vae-eval are never averaged."""
    record = {**EVALUATION, "log_likelihood": -23.0, "log_likelihood_samples": 5000}
    (runs / "d0" / "evaluation.json").write_text(json.dumps({"test": record}))
    rows = table(capsys, "runs", "where=posterior=diagonal,data.binarize=dynamic")
    assert {(row["runs"], row["log p(x)"]) for row in rows} == {("1", "-23.0"), ("2", "-25.5")}
    assert {row["measured by"].split(", ")[0] for row in rows} == {"vae-eval", "vae-train"}


@pytest.mark.parametrize(
    ("key", "best"),
    [("bits_per_dim", 0.4), ("reconstruction_error", 0.4), ("error", 0.4), ("elbo", 0.6)],
)
def test_order_follows_the_direction(
    key: str, best: float, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path, value in ((runs / "d0", 0.4), (runs / "p0", 0.6)):
        results = json.loads((path / "results.json").read_text())
        (path / "results.json").write_text(json.dumps({**results, f"test/{key}": value}))
    rows = table(capsys, "runs/d0", "runs/p0", f"metrics=[{key},kl]", "rank=test")
    assert float(rows[0][quantity(key).label]) == best


def test_best_is_chosen_by_validation_images(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path, value in ((runs / "d0", -1.0), (runs / "p0", -2.0)):
        results = json.loads((path / "results.json").read_text())
        (path / "results.json").write_text(json.dumps({**results, "validation/elbo": value}))
    by_validation = table(capsys, "runs/d0", "runs/p0")
    by_test = table(capsys, "runs/d0", "runs/p0", "rank=test")
    assert [row["posterior"][0] for row in by_validation] == ["d", "p"]
    assert [row["posterior"][0] for row in by_test] == ["p", "d"]
    assert main(["runs/d0", "runs/p0", "rank=test"]) == 0
    assert "looks better than it is" in capsys.readouterr().out


def test_a_mean_over_seeds_is_not_called_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = table(capsys, "runs/d0", "runs/d1", "runs/d2")
    assert (row["run"], row["runs"]) == ("runs/d0,runs/d1,runs/d2", "3")


@pytest.mark.parametrize("form", ["csv", "markdown", "latex"])
def test_only_a_table_is_replaced(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.py").write_text("treatment,dose,outcome\n% mine\n| run |\n")
    Path("link").symlink_to("mine.py")
    run = Path("runs/d0")
    inside = [f"{run}/{name}" for name in ("results.json", "checkpoints/best.ckpt", "new.csv")]
    before = {path: path.read_bytes() for path in (Path("mine.py"), run / "results.json")}
    for output in ("mine.py", "link", ".", *inside):
        assert main(["runs", f"format={form}", f"output={output}"]) == 2
        assert f"output={output}: is " in capsys.readouterr().err
    assert {path: path.read_bytes() for path in before} == before
    for _ in range(2):
        assert main(["runs", f"format={form}", "output=table"]) == 0
    for other in {"csv", "markdown", "latex"} - {form}:
        assert main(["runs", f"format={other}", "output=table"]) == 2


def test_formats(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "format=markdown", "output=table.md"]) == 0
    lines = Path("table.md").read_text(encoding="utf-8").splitlines()
    assert any(line.startswith("| posterior | run | runs | log p(x) | ELBO |") for line in lines)
    assert any(line.startswith("| --- | --- | ---: | ---: | ---: |") for line in lines)
    assert main(["runs", "format=latex", "output=table.tex"]) == 0
    text = Path("table.tex").read_text(encoding="utf-8")
    assert r"planar & p{*} & 3 & $-$23.00 $\pm$ 0.58" in text
    assert r"\usepackage{booktabs}" in text and r"\resizebox" in text
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 2
    capsys.readouterr()
    assert main(["runs"]) == 0
    shown = capsys.readouterr().out
    assert "-23.00 ± 0.58" in shown and "digits test, binarize=static" in shown


def other_data(run: Path, path: str, digest: str | None) -> None:
    """Makes a run one of an array's images."""
    config = (run / "config.yaml").read_text()
    config = config.replace("digits.load,", f"array.load, path: {path},")
    (run / "config.yaml").write_text(config)
    results = json.loads((run / "results.json").read_text())
    (run / "results.json").write_text(json.dumps({**results, "data/images_sha256": digest}))


def test_different_data_never_share_a_title(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, path, digest in (
        ("d0", "a/t.npz", "1" * 64), ("d1", "b/t.npz", "2" * 64), ("d2", "c/u.npz", "3" * 64),
        ("p0", "c/u.npz", "3" * 64), ("p1", "a/t.npz", None), ("p2", "b/t.npz", None),
    ):  # fmt: skip
        other_data(runs / name, path, digest)
    rows = table(capsys, "runs", "over=[]")
    titles = {row["run"]: row["treatment"].partition(",")[0] for row in rows}
    assert titles["runs/d2"] == titles["runs/p0"] == "array u.npz test"
    assert titles["runs/d0"] == "array t.npz test"
    whole = {row["run"]: row["treatment"] for row in rows}
    assert len(set(whole.values())) == len(whole) - 1
    assert whole["runs/d0"].endswith("images 11111111")
    assert whole["runs/p1"].endswith("images a/t.npz")


def test_evaluations_are_ranked_by_validation(runs: Path) -> None:
    for name in ("d0", "d1", "p2"):
        evaluate_run(runs / name)
    records = []
    for name in ("d1", "d0", "p2"):
        evaluation = json.loads((runs / name / "evaluation.json").read_text())["test"]
        records.append((name, with_validation(evaluation, RunFolder(runs / name))))
    (group,) = comparable(records, mixed=False)
    assert group.ranking is not None and group.ranking.key == "validation_elbo"
    assert [name for name, _ in group.members] == ["d0", "p2", "d1"]


def test_mixed_data_are_marked(capsys: pytest.CaptureFixture[str]) -> None:
    rows = table(capsys, "runs", "mixed=true")
    assert len(rows) == 3 and rows[0]["log p(x)"] == "-9.0"


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
        (["runs", "where=posterior"], "where=posterior: needs comma-separated conditions"),
        (["runs", "where=posterio=planar"], "Did you mean posterior?"),
        (["runs", "where=seed>9"], "no run matches"),
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
    assert [row["ELBO"] for row in beside][:2] == ["-24.8", "-98.14"]
    assert [row["reference"] for row in beside] == [
        "runs/d0", "diagonal", "planar K=10", "planar K=20", "planar K=40", "planar K=80"
    ]  # fmt: skip
