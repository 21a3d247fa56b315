"""Several processes find what one would have found."""

import json
import sys
from pathlib import Path

import pytest
import torch
from processes import DEADLY, start

from vae_cli.config.build import build
from vae_cli.metric.base import Evaluation
from vae_cli.run.checkpoint import load_model
from vae_cli.training.checkpoint_file import read_checkpoint
from vae_cli.training.data_module import EVALUATION_BATCH

ARGUMENTS = [
    "accelerator=ddp_cpu", "data.batch_size=100", "trainer.max_steps=20", "posterior=radial",
    "network.hidden_dims=[8]", "metric.log_likelihood.samples=2", "figure=[]",
]  # fmt: skip


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two processes."""
    work = tmp_path_factory.mktemp("work")
    done = start([*ARGUMENTS, "hydra.run.dir=run"], work)
    assert done.returncode == 0, done.stderr
    assert [p.name for p in work.iterdir()] == ["run"]
    return work


def test_they_measure_what_one_process_measures(work: Path) -> None:
    found = json.loads((work / "run" / "results.json").read_text(encoding="utf-8"))
    model, config = load_model(work / "run" / "checkpoints" / "best.ckpt")
    experiment = build(config)
    split = experiment.splits["test"]
    evaluation = Evaluation(experiment.metrics, config.seed, "test")
    for number, index in enumerate(torch.arange(len(split)).split(EVALUATION_BATCH)):
        evaluation.add(model.eval(), number, split.batch(index))
    for key, value in evaluation.results([evaluation.state]).items():
        expected = value if value is None else pytest.approx(value, rel=1e-6)
        assert found[f"test/{key}"] == expected, key


def test_mistake_is_reported_once(tmp_path: Path) -> None:
    done = start([*ARGUMENTS, "optimizer.lr=1e30", "logger=none", "hydra.run.dir=run"], tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("vae-train:") == 1 and "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("results.json"))


def test_a_signal_to_one_process_stops_both(work: Path) -> None:
    """A resumed run ends with weights identical to those of a run that was never stopped."""
    (work / "deadly.py").write_text(DEADLY.replace("VICTIM", repr("1")), encoding="utf-8")
    deadly = [sys.executable, str(work / "deadly.py")]
    stopped = start([*ARGUMENTS, "hydra.run.dir=stopped"], work, deadly)
    assert stopped.returncode == 75, stopped.stderr
    assert stopped.stderr.count("vae-train:") == 1 and "stopped and saved" in stopped.stderr
    last = read_checkpoint(work / "stopped" / "checkpoints" / "last.ckpt")
    assert last["global_step"] in (9, 10)  # the other process hears of it a step later
    assert start(["resume=stopped"], work).returncode == 0
    ends = [read_checkpoint(work / n / "checkpoints/last.ckpt") for n in ("stopped", "run")]
    assert ends[0]["global_step"] == ends[1]["global_step"] == 20
    for name, weight in ends[0]["state_dict"].items():
        assert weight.equal(ends[1]["state_dict"][name])
