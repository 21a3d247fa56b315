"""vae-eval, from a run's folder to its numbers."""

import io
import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vae_cli.analysis.probe import Probe
from vae_cli.commands.eval import main
from vae_cli.commands.parser import Parser
from vae_cli.commands.runs import runs_of
from vae_cli.commands.train import main as train
from vae_cli.config.build import build
from vae_cli.distribution.planar import PlanarFlow
from vae_cli.launch.launch import SHARED_FOLDER
from vae_cli.metric.base import Evaluation
from vae_cli.model.vae import VAE
from vae_cli.run.checkpoint import load_model
from vae_cli.terminal import summary
from vae_cli.terminal.rows import warnings_of

QUICK = ["samples=20", "analysis.posterior_check.samples=40"]
CONDITIONS = {
    "data", "split", "images", "images_sha256", "binarize", "dequantize", "checkpoint",
    "checkpoint_sha256", "seed",
    "settings", "device", "versions",
}  # fmt: skip
ERRORS = (
    "elbo", "reconstruction", "kl", "log_likelihood", "mutual_information_lower",
    "mutual_information_upper", "marginal_kl_lower", "marginal_kl_upper", "reconstruction_error",
    "linear_probe_accuracy", "nearest_neighbors_accuracy", "posterior_normalization",
)  # fmt: skip
OTHERS = (
    "log_likelihood_mc_se", "log_likelihood_bias", "log_likelihood_samples", "bits_per_dim",
    "effective_sample_size", "low_effective_sample_size", "active_units", "latent_dim",
    "mutual_information_images", "probe_images", "posterior_log_prob_error",
)  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of two runs, one of them a flow's on grey pixels."""
    work = tmp_path_factory.mktemp("trained")
    brief = ["trainer.max_epochs=2", "logger=none", "figure=[]", "metric=[]"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(work)
        patch.delenv(SHARED_FOLDER, raising=False)
        assert train([*brief, "hydra.run.dir=plain"]) == 0
        others = ["model=flow", "likelihood=gaussian", "data.dequantize=true", "latent_dim=3"]
        assert train([*brief, *others, "hydra.run.dir=flow"]) == 0
        assert train([*brief, "model=autoencoder", "hydra.run.dir=code"]) == 0
    return work


@pytest.fixture
def runs(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder, which is the current one."""
    shutil.copytree(trained, tmp_path / "runs")
    monkeypatch.chdir(tmp_path / "runs")
    return tmp_path / "runs"


def record(folder: Path, split: str = "test") -> dict[str, Any]:
    found = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))[split]
    return {name: value for name, value in found.items() if name != "source"}


@pytest.mark.parametrize("name", ["plain", "flow"])
def test_numbers_and_what_they_depend_on(name: str, runs: Path) -> None:
    assert main([f"run={name}", *QUICK]) == 0
    found = record(runs / name)
    assert found.keys() >= {*CONDITIONS, *OTHERS, *ERRORS, *(f"{e}_se" for e in ERRORS)}
    assert found["log_likelihood_samples"] == 20 and found["images"] == 180
    assert found["settings"]["metric"]["importance_sampling"]["samples"] == 20
    assert len(found["checkpoint_sha256"]) == 64
    assert found["binarize"] == {"plain": "dynamic", "flow": "none"}[name]
    assert found["elbo"] == pytest.approx(found["reconstruction"] - found["kl"])
    assert found["elbo"] < found["log_likelihood"]
    assert ("kl_per_dimension/0" in found) == (name == "plain")
    assert ("posterior_log_det_error" in found) == (name == "flow")
    if name == "plain":
        kls = [found[f"kl_per_dimension/{d}"] for d in range(2)]
        assert sum(kls) == pytest.approx(found["kl"], abs=0.1)


def test_values_of_each_image(runs: Path) -> None:
    assert main(["run=plain", *QUICK]) == 0
    found = record(runs / "plain")
    with np.load(runs / "plain" / "evaluation.npz") as values:
        assert values["test/log_likelihood"].shape == values["test/label"].shape == (180,)
        assert values["test/z_mean"].shape == (180, 2)
        assert set(values["test/label"]) == set(range(10))
        for name in ("log_likelihood", "elbo", "kl", "effective_sample_size"):
            assert values[f"test/{name}"].mean() == pytest.approx(found[name])


def test_agrees_with_what_training_found(runs: Path) -> None:
    assert main(["run=plain", "samples=300", "analysis=[]", "metric=[importance_sampling]"]) == 0
    found = record(runs / "plain")
    trained = json.loads((runs / "plain" / "results.json").read_text())
    # The same images; one draw of z in training's number, three hundred here.
    with np.load(runs / "plain" / "evaluation.npz") as values:
        spread = values["test/elbo"].std() / 180**0.5
    assert found["elbo"] == pytest.approx(trained["test/elbo"], abs=spread)


def test_another_split_stands_beside_the_first(runs: Path) -> None:
    assert main(["run=plain", *QUICK]) == 0
    first = record(runs / "plain")
    assert main(["run=plain", "split=validation", *QUICK]) == 0
    assert record(runs / "plain") == first
    assert record(runs / "plain", "validation")["elbo"] != first["elbo"]
    with np.load(runs / "plain" / "evaluation.npz") as values:
        assert {name.partition("/")[0] for name in values} == {"test", "validation"}


def interrupt_after(
    batches: int, monkeypatch: pytest.MonkeyPatch, sent: int = signal.SIGINT
) -> list[int]:
    """A signal before batch number ``batches``; what was counted in is noted in the list."""
    counted: list[int] = []
    add = Evaluation.add

    def spy(self: Evaluation, model: VAE, number: int, batch: Any) -> None:
        if len(counted) == batches:
            signal.raise_signal(sent)
        counted.append(number)
        add(self, model, number, batch)

    monkeypatch.setattr(Evaluation, "add", spy)
    return counted


CONTINUE = "vae-eval: interrupted. Run the same command again to continue."


@pytest.mark.parametrize(("after", "number"), [(0, "SIGINT"), (5, "SIGTERM")])
def test_an_interrupted_evaluation_resumes(
    after: int, number: str, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["split=train", "analysis=[]", "samples=2"]
    assert main(["run=flow", *arguments]) == 0
    whole = record(runs / "flow", "train")
    shutil.move("flow", "whole")
    shutil.copytree("whole", "flow")
    (runs / "flow" / "evaluation.json").unlink()
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(after, patch, signal.Signals[number])
        assert main(["run=flow", *arguments]) == 128 + signal.Signals[number]
        err = capsys.readouterr().err
        assert (CONTINUE if after else "interrupted: nothing is saved yet.") in err
        assert not (runs / "flow" / "evaluation.json").exists()
    with pytest.MonkeyPatch.context() as patch:
        counted = interrupt_after(100, patch)
        assert main(["run=flow", *arguments]) == 0
    assert counted == list(range(after, 15))
    assert record(runs / "flow", "train") == whole
    with np.load("whole/evaluation.npz") as one, np.load("flow/evaluation.npz") as other:
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])
    assert not list((runs / "flow").glob("*.partial"))


@pytest.mark.parametrize("sent", ["SIGINT", "SIGTERM"])
def test_an_interruption_once_all_is_kept_changes_nothing(
    sent: str, runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    show = summary.print_evaluation

    def interrupted(*arguments: Any) -> None:
        signal.raise_signal(signal.Signals[sent])
        show(*arguments)

    monkeypatch.setattr(summary, "print_evaluation", interrupted)
    assert main(["run=plain", *QUICK]) == 0
    assert "evaluation.json" in capsys.readouterr().out
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers


def test_what_was_left_of_other_settings_is_not_used(runs: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(1, patch)
        assert main(["run=plain", *QUICK]) == 130
    (left,) = (runs / "plain").glob("evaluation.*.partial")
    with pytest.MonkeyPatch.context() as patch:
        counted = interrupt_after(100, patch)
        assert main(["run=plain", *QUICK, "seed=1"]) == 0
        assert counted == [0, 1]
        assert main(["run=plain", *QUICK]) == 0  # the one that was interrupted, whatever came since
        assert counted == [0, 1, 1]
    assert not left.exists()


def test_done_already_it_is_not_done_again(runs: Path) -> None:
    assert main(["run=plain", *QUICK]) == 0
    with pytest.MonkeyPatch.context() as patch:
        counted = interrupt_after(100, patch)
        assert main(["run=plain", *QUICK]) == 0
        assert counted == []
        assert main(["run=plain", *QUICK, "seed=1"]) == 0
        assert counted == [0, 1]
        assert main(["run=plain", *QUICK, "seed=1", "checkpoint=last"]) == 0
        assert counted == [0, 1, 0, 1]


def test_each_analysis_is_kept(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(self: Probe, *_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Probe, "numbers", stop)
        assert main(["run=plain", *QUICK]) == 130
    assert CONTINUE in capsys.readouterr().err
    assert {"elbo", "mutual_information_lower"} <= record(runs / "plain").keys()
    assert not list((runs / "plain").glob("*.partial"))
    with pytest.MonkeyPatch.context() as patch:
        counted = interrupt_after(0, patch)
        assert main(["run=plain", *QUICK]) == 0 and counted == []
    assert "linear_probe_accuracy" in record(runs / "plain")


def test_an_analysis_without_its_density_is_left_out(
    vae_train: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As with a flow of the user's that has no inverse."""

    def has_no_inverse(*_: object) -> None:
        raise NotImplementedError

    run = vae_train("posterior=planar", "trainer.max_steps=2", "network.hidden_dims=[8]")
    monkeypatch.setattr(PlanarFlow, "_inverse", has_no_inverse)
    assert main([f"run={run}", "metric=[]", "analysis=[mutual_information]"]) == 0
    assert "mutual_information is left out" in capsys.readouterr().out
    record = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))["test"]
    assert not [name for name in record if name.startswith("mutual_information")]


def test_encoder_runs_once_an_image(runs: Path) -> None:
    model, config = load_model(runs / "plain" / "checkpoints" / "best.ckpt")
    assert isinstance(model, VAE)
    encoded: list[int] = []
    model.encoder.register_forward_hook(lambda module, args, out: encoded.append(len(args[0])))
    from vae_cli.metric.active_units import ActiveUnits
    from vae_cli.metric.importance import ImportanceSampling

    metrics = {"a": ImportanceSampling(3000), "b": ActiveUnits()}
    split = build(config).splits["test"]
    Evaluation(metrics, 0, "test").add(model, 0, split.batch(torch.arange(100)))
    assert encoded == [100]


def test_several_runs_are_put_into_tables(
    runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shutil.copytree("plain", "plain2")
    assert main(["run=*", *QUICK]) == 0
    output = capsys.readouterr().out
    # Binarized and dequantized pixels never in one table, unless asked for, and then marked.
    tables = output[output.rindex("evaluation.npz") :]
    assert "digits test, binarize=dynamic" in tables and "dequantize=True" in tables
    assert tables.count("log p(x)") == 2
    assert main(["run=[plain,flow]", "mixed=true", *QUICK]) == 0
    output = capsys.readouterr().out
    table = output[output.rindex("evaluation.npz") :]
    assert "mixed data" in table and table.count("log p(x)") == 1
    (row,) = (line for line in table.splitlines() if line.strip().startswith("plain"))
    assert "binarize=dynamic" in row


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], ["run", "Try vae-eval run="]),
        (["run=nowhere"], ["run=nowhere", "no such folder"]),
        (["run=nowhere/*"], ["run=nowhere/*", "pattern"]),
        (["run=plain,nowhere"], ["run=nowhere"]),
        (["run=."], ["run=.", "is not a run, but holds"]),
        (["run=empty"], ["run=empty", "no best.ckpt", "Try vae-train resume=empty"]),
        (["run=half"], ["run=half", "no best.ckpt", "Try checkpoint=last"]),
        (["run=plain", "metric=[]", "analysis=[]"], ["nothing to measure"]),
        (["run=plain", "samples=99999999999999999999"], ["samples=9999", "at most 1000000000"]),
        (["run=plain", "samples=1,2"], ["samples=1,2", "brackets"]),
        (["run=broken"], ["run=broken", "best.ckpt can't be read", "checkpoint=last"]),
        (["run=foreign"], ["_target_=os.system", "trust=true"]),
        (["run=plain", "splt=test"], ["splt=test", "split=test?"]),
        (["run=plain", "split=all"], ["split=all", "test, validation, train"]),
        (["run=plain", "samples=0"], ["samples=0", "at least 1"]),
        (["run=plain", "samples=many"], ["samples=many", "whole number"]),
        (["run=plain", "seed=-1"], ["seed=-1", "at least 0"]),
        (["run=plain", "checkpoint=worst"], ["checkpoint=worst", "best, last"]),
        (["run=plain", "device=gpu"], ["device=gpu", "Try device=cpu"]),
        (["run=plain", "data.root=x"], ["data.root=x", "no root"]),
        (
            ["run=code", "metric=[importance_sampling]"],
            ["metric=importance", "with a prior"],
        ),
        (["run=code", "analysis=[probe,posterior_check]"], ["posterior_check", "a prior"]),
        (["run=plain", "metric=[reconstruction]"], ["metric=reconstruction", "an autoencoder"]),
        (["run=plain", "posterior=planar"], ["posterior=planar", "no such key"]),
        (["run=plain", "metric=[nope]"], ["metric=nope", "importance_sampling"]),
        (["run=plain", "analysis.probe.neighbors=0"], ["neighbors=0", "at least 1"]),
        (["run=plain", "analysis.mutual_information.images=1"], ["images=1", "at least 2"]),
        (["plain"], ["plain", "key=value"]),
        (["run=plain", "--nope"], ["--nope", "Try --help"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_mistakes_are_reported_in_one_line(
    arguments: list[str], said: list[str], runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "device=gpu" in arguments and torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    shutil.copytree("plain", "empty", ignore=shutil.ignore_patterns("*.ckpt"))
    for name in ("broken", "foreign"):
        shutil.copytree("plain", name)
    Path("broken/checkpoints/best.ckpt").write_bytes(b"no checkpoint")
    shutil.copytree("plain", "half")
    Path("half/checkpoints/best.ckpt").unlink()
    damage(Path("foreign/checkpoints/best.ckpt"))
    before = sorted(runs.rglob("*"))
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vae-eval: ")
    for part in said:
        assert part in line
    assert sorted(runs.rglob("*")) == before


def damage(path: Path) -> None:
    """Makes a checkpoint ask for what no model is made of."""
    checkpoint = torch.load(path, weights_only=True)
    target = "vae_cli.data.digits.load"
    assert target in checkpoint["config"]
    checkpoint["config"] = checkpoint["config"].replace(target, "os.system")
    torch.save(checkpoint, path)


def test_help_names_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for key in ("run", "split", "samples", "seed", "checkpoint", "device", "data.root", "mixed"):
        assert f"\n  {key}" in shown
    assert "importance_sampling" in shown and "mutual_information" in shown


def test_an_autoencoder_is_measured_by_what_it_has(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run=code,plain", "samples=20"]) == 0
    found = record(runs / "code")
    measured = ("reconstruction", "reconstruction_error", "linear_probe_accuracy")
    assert {*measured, "nearest_neighbors_accuracy"} <= found.keys()
    lacking = ("elbo", "kl", "log_likelihood", "active_units", "mutual_information_lower")
    assert not {*lacking, "posterior_normalization"} & found.keys()
    assert found["bits_per_dim"] is None
    assert "importance_sampling" not in found["settings"]["metric"]
    model, config = load_model("code/checkpoints/best.ckpt")
    split = build(config).splits["test"]
    batch = split.batch(torch.arange(len(split)))
    with torch.no_grad():
        expected = model.decode(model.encode(batch).mean).log_prob(batch.x).double()
    assert found["reconstruction"] == pytest.approx(expected.mean().item(), rel=1e-6)
    error = (expected.var() / len(expected)).sqrt().item()
    assert found["reconstruction_se"] == pytest.approx(error, rel=1e-6)
    shown = " ".join(capsys.readouterr().out.split())
    assert "log p(x|z), z the code" in shown and "squared" in shown


BASE = {"log_likelihood_samples": 50, "posterior_normalization_se": 0.01}


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({}, []),
        ({"log_likelihood_is_bound": False, "low_effective_sample_size": 0.3}, []),
        ({"log_likelihood_is_bound": True, "high_pareto_shape": 0.3}, ["30%", "samples=500"]),
        ({"log_likelihood_is_bound": True, "log_likelihood_bias": -0.31}, ["0.3 nats below"]),
        ({"posterior_normalization": 1.02}, []),
        ({"posterior_normalization": 1.2}, ["E_q[p/q]"]),
        ({"posterior_log_det_error": 1e-9}, []),
        ({"posterior_log_det_error": 0.1}, ["posterior_log_det_error is 0.1"]),
        ({"posterior_log_prob_error": 0.1}, ["posterior_log_prob_error is 0.1"]),
    ],
)
def test_warns_of_numbers_not_to_trust(numbers: dict[str, float], said: list[str]) -> None:
    text = " ".join(warnings_of({**BASE, **numbers}))
    assert bool(text) == bool(said)
    assert all(part in text for part in said)


def test_moved_images_are_found(
    vae_train: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 6, 5), dtype=np.uint8)
    np.save(tmp_path / "images.npy", pixels)
    path = tmp_path / "images.npy"
    run = vae_train("data=array", f"data.path={path}", "data.batch_size=10", "trainer.max_steps=3")
    path = path.rename(tmp_path / "moved.npy")
    assert main([f"run={run}", *QUICK]) == 2
    assert "images.npy" in capsys.readouterr().err
    assert main([f"run={run}", f"data.path={path}", *QUICK]) == 0
    assert "linear_probe_accuracy" not in record(run)  # there are no labels
    np.save(path, pixels[:, :5])
    assert main([f"run={run}", f"data.path={path}", *QUICK, "seed=1"]) == 2
    assert "shape [1,5,5]" in capsys.readouterr().err


def test_what_is_known_is_not_measured_again(runs: Path) -> None:
    assert main(["run=plain", "samples=20", "analysis=[]"]) == 0
    first = record(runs / "plain")
    with pytest.MonkeyPatch.context() as patch:
        counted = interrupt_after(100, patch)
        assert main(["run=plain", "samples=20", "analysis=[probe]"]) == 0
        assert counted == []
        added = record(runs / "plain")
        assert added.keys() - first.keys() >= {"probe_images", "linear_probe_accuracy"}
        assert {name: added[name] for name in first if name != "settings"} == {
            name: value for name, value in first.items() if name != "settings"
        }
        assert main(["run=plain", "metric=[active_units]", "analysis=[]"]) == 0
        assert counted == [] and record(runs / "plain") == added
        option = "metric.active_units.threshold=0.5"
        assert main(["run=plain", "metric=[active_units]", option, "analysis=[]"]) == 0
        assert counted == [0, 1]
    changed = record(runs / "plain")
    assert changed["log_likelihood"] == first["log_likelihood"]
    assert changed["settings"]["metric"]["active_units"]["threshold"] == 0.5
    with np.load("plain/evaluation.npz") as values:
        assert "test/log_likelihood" in values


def test_other_images_are_measured_anew(vae_train: Callable[..., Path], tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 6, 5), dtype=np.uint8)
    path = tmp_path / "images.npy"
    np.save(path, pixels)
    run = vae_train("data=array", f"data.path={path}", "data.batch_size=10", "trainer.max_steps=3")
    arguments = [f"run={run}", "samples=5", "analysis=[]"]
    assert main(arguments) == 0
    first = record(run)
    np.save(path, 255 - pixels)
    assert main([*arguments, "data.changed=accept"]) == 0
    assert record(run)["images_sha256"] != first["images_sha256"]
    assert record(run)["elbo"] != first["elbo"]
    (run / "evaluation.npz").unlink()
    assert main(arguments) == 0
    assert (run / "evaluation.npz").exists()


SHORT = ["run=plain", "samples=20", "analysis=[]", "metric=[active_units]"]


def compressed() -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, x=np.zeros(10**6))
    return content.getvalue()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-40]),
    "another kind": lambda path: path.write_text('{"test": {"settings": []}}'),
    "compressed": lambda path: path.write_bytes(compressed()),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_is_damaged_is_measured_again(
    damage: Callable[[Path], object], runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = runs / "plain"
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(1, patch)
        assert main(SHORT) == 130
    (left,) = folder.glob("evaluation.*.partial")
    damage(left)
    assert main(SHORT) == 0
    again = [line for line in capsys.readouterr().out.splitlines() if "measured again" in line]
    assert len(again) == 1 and left.name in again[0]
    whole = record(folder)
    for name in ("evaluation.json", "evaluation.npz"):
        damage(folder / name)
        assert main(SHORT) == 0
        assert record(folder) == whole
        with np.load(folder / "evaluation.npz") as values:
            assert "test/label" in values


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("plain", ["plain"]),
        ("'plain'", ["plain"]),
        ("plain,flow", ["plain", "flow"]),
        ("[plain,flow]", ["plain", "flow"]),
        ("plain,plain/", ["plain/"]),
        ("*", ["a, b", "code", "flow", "plain"]),
        ("p*", ["plain"]),
        ("a, b", ["a, b"]),
    ],
)
def test_which_runs_are_named(value: str, names: list[str], runs: Path) -> None:
    shutil.copytree("plain", "a, b")
    Path("stray.txt").touch()
    request = Parser("eval", has_runs=True).read([f"run={value}"])
    assert runs_of(request) == names
