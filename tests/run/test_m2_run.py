"""Runs of models with labels, from the command line to what is in their folders."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vae_cli
from vae_cli.commands.eval import main as evaluate
from vae_cli.commands.sample import main as sample
from vae_cli.launch.launch import SHARED_FOLDER
from vae_cli.run.folder import RunFolder
from vae_cli.training.checkpoint_file import read_checkpoint

Train = Callable[..., Path]
M2 = ["model=m2", "data=digits", "data.labels=50", "network.hidden_dims=[20]"]
BRIEF = [*M2, "trainer.max_epochs=2", "metric=[classification,confusion]"]


def results(run: Path) -> dict[str, Any]:
    return json.loads((run / "results.json").read_text(encoding="utf-8"))


def weights(run: Path) -> dict[str, Any]:
    return read_checkpoint(run / "checkpoints" / "last.ckpt")["state_dict"]


def test_results_and_their_evaluation(vae_train: Train) -> None:
    run = vae_train(*BRIEF)
    found = results(run)
    for name in ("elbo", "reconstruction", "kl", "entropy", "labelled_elbo", "error",
                 "label_log_likelihood"):  # fmt: skip
        assert f"test/{name}" in found and found[f"test/{name}_se"] > 0, name
    assert 0 < found["test/error"] < 0.95  # better than by chance
    assert 0 < found["test/calibration_error"] < 1
    assert found["test/labelled_images"] == 180
    counts = {k: v for k, v in found.items() if k.startswith("test/confusion/")}
    assert len(counts) == 100 and sum(counts.values()) == 180
    right = sum(counts[f"test/confusion/{y}_as_{y}"] for y in range(10))
    assert found["test/error"] == pytest.approx(1 - right / 180)
    assert found["test/elbo"] == pytest.approx(found["test/reconstruction"] - found["test/kl"])

    assert evaluate([f"run={run}", "samples=5", "metric=[classification,confusion]",
                     "analysis=[]"]) == 0  # fmt: skip
    record = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))["test"]
    for name in ("error", "error_se", "calibration_error", "labelled_images"):
        assert record[name] == pytest.approx(found[f"test/{name}"], rel=1e-12), name
    assert record["confusion/3_as_3"] == counts["test/confusion/3_as_3"]
    check_samples_of_a_class(run)


def check_samples_of_a_class(run: Path) -> None:
    ask = [f"run={run}", "what=samples", "count=12", "format=npz", f"output={run}"]
    found = []
    for label, mark in (("3", "_label-3"), ("5", "_label-5"), ("null", "")):
        assert sample([*ask, f"label={label}"]) == 0
        with np.load(run / f"samples_count-12{mark}.npz") as arrays:
            found.append({name: arrays[name] for name in arrays})
    three, five, drawn = found
    assert (three["y"] == 3).all() and (five["y"] == 5).all() and len(set(drawn["y"])) > 2
    np.testing.assert_array_equal(three["z"][:, :-10], drawn["z"][:, :-10])  # the same z
    for arrays in found:
        assert np.array_equal(arrays["z"][:, -10:].argmax(1), arrays["y"])
        expected = vae_cli.load(run).decode(arrays["z"][:, :-10], arrays["y"])
        np.testing.assert_allclose(arrays["x"], expected, atol=1e-6)
    assert sample([*ask, "label=10"]) == 2


def test_resumes_with_the_same_weights(vae_train: Train) -> None:
    steps = [*M2, "data.batch_size=100", "trainer.max_steps=20"]
    straight = vae_train(*steps, name="straight")
    run = vae_train(*steps, "trainer.save_every=9", name="run")
    kept = RunFolder(run)
    assert read_checkpoint(kept.previous)["global_step"] == 18  # in the middle of an epoch
    kept.last.write_bytes(kept.previous.read_bytes())
    kept.results.unlink()
    vae_train(f"resume={run}", name="run")
    found, expected = weights(run), weights(straight)
    assert found.keys() == expected.keys()
    assert all(found[name].equal(expected[name]) for name in expected)
    numbers = [{k: v for k, v in results(r).items() if "test/" in k} for r in (run, straight)]
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize(
    "options",
    [
        "posterior=planar likelihood=gaussian network=conv network.channels=[4,4]",
        "posterior=radial likelihood=gaussian network=gated_conv data.labels=null "
        "network.channels=[4,4] network.strides=[2,2] network.hidden_dim=8",
        "objective.samples=2 objective.closed_form_kl=false kl_schedule=linear",
    ],
)
def test_combinations(options: str, vae_train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SHARED_FOLDER, raising=False)
    small = ["metric=[classification]", "trainer.fast_dev_run=true"]
    run = vae_train("model=m2", "data=digits", "data.labels=50", *small, *options.split())
    assert 0 <= results(run)["test/error"] <= 1
