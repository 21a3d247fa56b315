"""One run from the command line to its results: all that is promised to lie in its folder."""

import json
import math
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import torch
from matplotlib.image import imread
from omegaconf import OmegaConf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from vae_cli.commands.train import main
from vae_cli.data.split import Split
from vae_cli.launch.launch import SHARED_FOLDER
from vae_cli.metric.base import Evaluation
from vae_cli.run.checkpoint import load_model
from vae_cli.run.folder import RunFolder

ARGUMENTS = [
    "trainer.max_epochs=2", "trainer.log_every=10", "metric.log_likelihood.samples=3",
    "figure.manifold.rows=3", "kl_schedule=linear", "kl_schedule.warmup_steps=30",
]  # fmt: skip
FILES = {
    "config.yaml", "overrides.yaml", "command.txt", "environment.txt", "results.json",
    "composed.yaml", "data.npz", "lock", "checkpoints/best.ckpt", "checkpoints/last.ckpt",
    "checkpoints/previous.ckpt", "figures/reconstructions.png", "figures/samples.png",
    "figures/latent_map.png", "figures/manifold.png",
}  # fmt: skip
KEYS = {
    "test/elbo", "test/reconstruction", "test/kl", "test/log_likelihood", "test/log_likelihood_se",
    "test/log_likelihood_samples", "test/bits_per_dim", "test/active_units", "data/binarize",
    "train/images_per_second", "train/seconds", "parameters", "seed", "latent_dim",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("work")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(work)
        patch.delenv(SHARED_FOLDER, raising=False)
        assert main(ARGUMENTS) == 0
    (run,) = (work / "outputs" / "digits_vae").iterdir()
    return run


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def events(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder), {"tensors": 0, "images": 0})
    return accumulator.Reload()


def test_files(folder: Path) -> None:
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    events = ("events.out.tfevents.", "train/events.", "validation/events.", "projector")
    written = {f for f in files if not f.startswith(events)}
    assert written == FILES
    assert len(files) > len(FILES)
    page = Path(__file__).parents[2] / "docs" / "reference" / "run_folder.md"
    rows = re.findall(r"^\| (`.*?) \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    shown = {name.partition("/")[0] for row in rows for name in re.findall(r"`([^`]+)`", row)}
    top = {name.partition("/")[0] for name in files}
    assert {n for n in top if not any(fnmatch(n, pattern) for pattern in shown)} == set()


def test_texts(folder: Path) -> None:
    assert (folder / "command.txt").read_text() == f"vae-train {' '.join(ARGUMENTS)}\n"
    assert list(OmegaConf.load(folder / "overrides.yaml")) == ARGUMENTS
    environment = (folder / "environment.txt").read_text()
    assert f"torch {torch.__version__.partition('+')[0]}" in environment
    config = OmegaConf.load(folder / "config.yaml")
    assert config.kl_schedule.warmup_steps == 30 and config.data.binarize == "dynamic"
    assert "${" not in (folder / "config.yaml").read_text()


def test_figures_are_pictures(folder: Path) -> None:
    for path in (folder / "figures").iterdir():
        picture = imread(path)
        assert min(picture.shape[:2]) > 50 and picture.std() > 0


def test_results(results: dict[str, Any]) -> None:
    assert results.keys() >= KEYS
    assert results["test/elbo"] == pytest.approx(
        results["test/reconstruction"] - results["test/kl"]
    )
    bits = -results["test/log_likelihood"] / (64 * math.log(2))
    assert results["test/bits_per_dim"] == pytest.approx(bits, rel=1e-12)
    assert results["test/log_likelihood_samples"] == 3
    assert results["train/images_per_second"] > 0 and results["train/seconds"] > 0
    assert (results["data/binarize"], results["seed"], results["latent_dim"]) == ("dynamic", 0, 2)
    assert -45 < results["test/elbo"] < results["test/log_likelihood"] < -15


def test_curves(events: EventAccumulator, results: dict[str, Any]) -> None:
    names = ("loss", "elbo", "reconstruction", "kl", "weight", "lr", "images_per_second")
    scalars = events.Tags()["scalars"]
    assert {f"train/{name}" for name in names} <= set(scalars)
    assert {f"validation/{name}" for name in ("elbo", "reconstruction", "kl")} <= set(scalars)
    assert [e.step for e in events.Scalars("train/loss")] == [10, 20, 22, 32, 42, 44]
    assert [e.step for e in events.Scalars("validation/elbo")] == [22, 44]
    weights = [e.value for e in events.Scalars("train/weight")]
    assert weights == pytest.approx([min(1, s / 30) for s in (10, 20, 22, 32, 42, 44)])
    assert [e.value for e in events.Scalars("test/elbo")] == pytest.approx([results["test/elbo"]])
    for tag in scalars:
        assert all(math.isfinite(e.value) for e in events.Scalars(tag))


def test_pictures_and_texts_in_events(events: EventAccumulator) -> None:
    assert events.Tags()["images"]
    texts = {tag.partition("/")[0] for tag in events.Tags()["tensors"]}
    assert {"config", "command", "environment"} <= texts


def test_hyperparameters_in_events(events: EventAccumulator, results: dict[str, Any]) -> None:
    plugin = events.PluginTagToContent("hparams")
    start = plugin["_hparams_/session_start_info"]
    assert b"kl_schedule.warmup_steps" in start and b"linear" in start
    assert b"likelihood" not in start  # which nobody chose
    # Columns are found out from all runs together: a list of this run's would hold for every one.
    assert "_hparams_/experiment" not in plugin


def test_each_phase_has_its_time(results: dict[str, Any]) -> None:
    names = ("start_", "", "validation_", "test_", "figure_")
    phases = [results[f"train/{name}seconds"] for name in names]
    assert all(seconds > 0 for seconds in phases)
    assert sum(phases) == pytest.approx(results["train/total_seconds"])


def test_parameters_are_counted(folder: Path, results: dict[str, Any]) -> None:
    model, _ = load_model(folder / "checkpoints" / "best.ckpt")
    assert results["parameters"] == sum(p.numel() for p in model.parameters())


def test_rebuilt_model_gives_the_same_numbers(folder: Path, results: dict[str, Any]) -> None:
    from vae_cli.config.build import build
    from vae_cli.training.data_module import EVALUATION_BATCH

    model, config = load_model(RunFolder(folder).best)
    experiment = build(config)
    split: Split = experiment.splits["test"]
    evaluation = Evaluation(experiment.metrics, config.seed, "test")
    for number, index in enumerate(torch.arange(len(split)).split(EVALUATION_BATCH)):
        evaluation.add(model.eval(), number, split.batch(index))
    for key, value in evaluation.results([evaluation.state]).items():
        expected = value if value is None else pytest.approx(value, rel=1e-12)
        assert results[f"test/{key}"] == expected, key


@pytest.mark.parametrize("name", ["best.ckpt", "last.ckpt"])
def test_checkpoints_hold_tensors_and_text(folder: Path, name: str) -> None:
    checkpoint = torch.load(folder / "checkpoints" / name, weights_only=True)
    assert OmegaConf.create(checkpoint["config"]) == OmegaConf.load(folder / "config.yaml")
    assert checkpoint["global_step"] in (22, 44)
