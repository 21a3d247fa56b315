"""Runs of two stages, and of features with a classifier, from the command line to their folders."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from vae_cli.commands.eval import main as evaluate
from vae_cli.commands.export import main as export
from vae_cli.commands.sample import main as sample
from vae_cli.commands.train import main as train
from vae_cli.config.composition import pretrained_part
from vae_cli.config.request import Request
from vae_cli.run.first_stage import FirstStage
from vae_cli.run.folder import RunFolder
from vae_cli.run.settings import settings
from vae_cli.training.checkpoint_file import read_checkpoint

Train = Callable[..., Path]
BASE = ["data=digits", "data.labels=50", "network.hidden_dims=[16]", "latent_dim=4"]
FIRST = [
    "model=m1", "network.hidden_dims=[16]", "latent_dim=6", "trainer.max_steps=30",
    "metric=[classification,active_units]", "figure=[]",
]  # fmt: skip
STAGES = [*BASE, "model=m1_m2", "trainer.max_steps=30", "logger=none", "trainer.progress=false",
          "model.first=[" + ",".join(f"'{text}'" for text in FIRST) + "]"]  # fmt: skip
SECOND = [text for text in STAGES if not text.startswith("model.first=")]  # of features there are
MEASURED = "metric=[classification,log_likelihood,active_units]"


def results(run: Path) -> dict[str, Any]:
    return json.loads((run / "results.json").read_text(encoding="utf-8"))


def weights(run: Path) -> dict[str, Any]:
    return read_checkpoint(run / "checkpoints" / "last.ckpt")["state_dict"]


def same(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    return ours.keys() == theirs.keys() and all(ours[k].equal(theirs[k]) for k in ours)


@pytest.fixture(scope="module")
def two_stages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("stages") / "run"
    assert train([*STAGES, MEASURED, "figure=[styles]", f"hydra.run.dir={run}"]) == 0
    return run


def test_the_first_stage_is_a_run_within(two_stages: Path) -> None:
    found, first = results(two_stages), results(two_stages / "m1")
    assert 0 < found["test/error"] < 0.95 and found["test/labelled_images"] == 180
    assert first["test/error"] < 0.95 and first["latent_dim"] == 6
    assert found["test/log_likelihood"] > found["test/elbo"]  # of the images, not of the features
    assert abs(found["test/elbo"] - first["test/elbo"]) < 10
    assert (two_stages / "figures" / "styles.png").is_file()
    # Its best weights are the second one's, and stay so.
    best = read_checkpoint(two_stages / "m1" / "checkpoints" / "best.ckpt")["state_dict"]
    ours = {
        f"model.{k.removeprefix('model.features.')}": v
        for k, v in weights(two_stages).items()
        if k.startswith("model.features.")
    }
    assert same(ours, best)


def test_features_that_the_first_stage_does_not_use_are_left_out(
    vae_train: Train, tmp_path: Path
) -> None:
    first = vae_train("model=m1", *BASE, "latent_dim=20", "kl_schedule.weight=0.7",
                      "optimizer.lr=5e-3", "trainer.max_steps=800", "metric=[active_units]",
                      name="first")  # fmt: skip
    run = vae_train(*SECOND, f"model.m1={first}")
    used = results(first)["test/active_units"]
    units = OmegaConf.load(run / "config.yaml").model.units
    assert 0 < used < 20
    assert len(units) == pytest.approx(used, abs=1)  # of training images, and of test images
    read = weights(run)["model.m2.classifier.layers.0.weight"]
    assert read.shape[1] == len(units)
    # The export compares what it has written with the model.
    assert export([f"run={run}", "format=torch_export"]) == 0


def test_a_flow_has_unused_features_too(vae_train: Train) -> None:
    first = vae_train("model=flow", *BASE, "latent_dim=20", "kl_schedule.weight=0.7",
                      "optimizer.lr=5e-3", "trainer.max_steps=800", "metric=[active_units]",
                      name="first")  # fmt: skip
    run = vae_train(*SECOND, f"model.m1={first}")
    used = results(first)["test/active_units"]
    assert 0 < used < 20  # of means of draws, whose noise alone is above the threshold
    units = OmegaConf.load(run / "config.yaml").model.units
    assert len(units) == pytest.approx(used, abs=1)


def test_a_run_keeps_its_features(two_stages: Path, tmp_path: Path) -> None:
    run = tmp_path / "copy"
    shutil.copytree(two_stages, run)
    before = (run / "config.yaml").read_text(encoding="utf-8")
    assert train([f"resume={run}", f"model.m1={two_stages / 'm1'}", "trainer.max_steps=40"]) == 2
    assert (run / "config.yaml").read_text(encoding="utf-8") == before


def test_which_features_are_used_is_no_setting(two_stages: Path) -> None:
    config = OmegaConf.to_container(OmegaConf.load(two_stages / "config.yaml"))
    assert config["model"]["units"] and "model.units" not in settings(config)


def test_of_a_first_stage_that_uses_no_feature_all_are_modelled(two_stages: Path) -> None:
    assert results(two_stages / "m1")["test/active_units"] == 0  # after so few steps
    assert OmegaConf.load(two_stages / "config.yaml").model.units == [*range(6)]


def test_other_commands_need_no_first_stage(two_stages: Path, tmp_path: Path) -> None:
    run = tmp_path / "copy"
    shutil.copytree(two_stages, run, ignore=shutil.ignore_patterns("m1"))
    assert evaluate([f"run={run}", "samples=20", "analysis.posterior_check.samples=50"]) == 0
    record = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))["test"]
    assert record["error"] == pytest.approx(results(two_stages)["test/error"])
    assert record["labelled_elbo"] < record["elbo"] + 1
    pictures = "styles,analogies,confusion,reliability,reconstructions,samples,latent_map"
    assert sample([f"run={run}", f"what={pictures}"]) == 0
    assert train([f"resume={run}", "trainer.max_steps=32", "logger=none"]) == 0
    assert read_checkpoint(run / "checkpoints" / "last.ckpt")["global_step"] == 32
    assert not (run / "m1").exists()


def test_resumes_in_the_second_stage_with_the_same_weights(
    two_stages: Path, vae_train: Train, tmp_path: Path
) -> None:
    given = [*SECOND, f"model.m1={two_stages / 'm1'}"]
    whole = vae_train(*given, name="whole")
    part = vae_train(*given, "trainer.max_steps=17", name="part")
    assert not (part / "m1").exists()
    assert train([f"resume={part}", "trainer.max_steps=30"]) == 0
    assert same(weights(part), weights(whole))


def test_a_run_stopped_in_its_first_stage_resumes_there(tmp_path: Path) -> None:
    run = tmp_path / "run"
    patient = [text.replace("trainer.max_steps=30", "trainer.max_epochs=2000") for text in STAGES]
    command = [sys.executable, "-m", "vae_cli.commands.train", *patient, f"hydra.run.dir={run}",
               "metric=[]", "figure=[]"]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    first = RunFolder(run / "m1")
    while not first.last.is_file():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)  # to the second stage's process alone, as a scheduler does
    _, told = process.communicate(timeout=60)
    assert process.returncode == 75
    assert f"Resume with vae-train resume={run}" in told
    reached = read_checkpoint(first.last)["global_step"]
    assert reached > 0 and not RunFolder(run).last.exists()
    steps = f"trainer.max_steps={reached + 5}"
    shorter = [text.replace("trainer.max_epochs=2000", steps) for text in patient]
    first_stage = next(text for text in shorter if text.startswith("model.first="))
    assert train([f"resume={run}", first_stage, "trainer.max_epochs=1"]) == 0
    assert read_checkpoint(first.last)["global_step"] == reached + 5
    assert RunFolder(run).results.is_file()


def test_the_first_stage_gets_each_key_once() -> None:
    first = "model.first=['seed=1','likelihood=gaussian','latent_dim=3']"
    texts = ["model=m1_m2", first, "++seed=2", "likelihood=bernoulli"]
    request = Request.of("train", texts)
    cfg, _ = request.compose()
    stage = FirstStage.of(pretrained_part(cfg) or "", cfg, request, is_own=True)
    expected = ["model=m1", "latent_dim=3", "++seed=2", "likelihood=bernoulli"]
    assert stage.request.texts == expected


@pytest.mark.parametrize("classifier", ["svm", "knn"])
def test_m1(classifier: str, vae_train: Train) -> None:
    run = vae_train(*BASE, "model=m1", f"model.classifier={classifier}", "trainer.max_steps=60",
                    "metric=[classification,confusion]")  # fmt: skip
    found = results(run)
    assert 0 < found["test/error"] < 0.9 and 0 < found["test/calibration_error"] < 1
    assert evaluate([f"run={run}", "metric=[classification]", "analysis=[]"]) == 0
    record = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))["test"]
    assert record["error"] == found["test/error"]


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["model.m1=nowhere"], "model.m1=nowhere: there is no such folder."),
        (["model.m1={run}"], "run: its model needs a prior and no labels."),
        (["model.m1={run}/m1", "data.binarize=threshold"],
         "has data.binarize=dynamic, and this run threshold."),
        (["model.first=['latent_dim=0']"],
         "model.first: latent_dim=0: needs a whole number of at least 1."),
        (["model.first=['latent_dims=3']"], "model.first: latent_dims=3: there is no such key"),
        (["model.first=7"], "model.first=7: needs a list"),
        (["model.first=['model=m2']"], "model.first=model=m2: its model needs a prior"),
        (["model.first=['model=autoencoder']"], "model.first=model=autoencoder: its model"),
        (["model.first=['model=m1_m2']"], "model.first=model=m1_m2: its model needs a prior"),
        (["model.first=['data=mnist']"], "model.first=data=mnist: applies to both stages"),
        (["model.m1={run}/m1", "model.first=['latent_dim=3']"],
         "model.first=[latent_dim=3]: model.m1 has been trained already."),
        (["model.m1={run}/m1", "likelihood=gaussian"],
         "has another likelihood than the one asked for."),
        (["model.units=[0]"], "model.units=[0]: is computed from the first stage. Leave it out."),
        (["objective.labelled_fraction=0"],
         "objective.labelled_fraction=0: needs a number above 0 and at most 1."),
        (["data.labels=5"], "data.labels=5: needs one for each of the 10 classes."),
    ],
)  # fmt: skip
def test_mistakes(
    overrides: list[str], told: str, two_stages: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    chosen = [text.format(run=two_stages) for text in overrides]
    base = [text for text in BASE if text.partition("=")[0] not in str(chosen)]
    assert train([*base, "model=m1_m2", *chosen]) == 2
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1
    assert not list(tmp_path.iterdir())
