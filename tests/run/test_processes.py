"""Several processes find what one would have found."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from vae_cli.config.build import build
from vae_cli.metric.base import Evaluation
from vae_cli.run.checkpoint import load_model
from vae_cli.training.checkpoint_file import read_checkpoint
from vae_cli.training.data_module import EVALUATION_BATCH

ARGUMENTS = [
    "accelerator=ddp_cpu", "data.batch_size=100", "trainer.max_epochs=1",
    "metric.log_likelihood.samples=2", "figure=[]", "hydra.run.dir=run",
]  # fmt: skip
CODE = "import sys; from vae_cli.commands.train import main; sys.exit(main(sys.argv[1:]))"
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}


def start(
    arguments: list[str], work: Path, program: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    script = Path(sys.executable).with_name("vae-train")
    program = program or ([str(script)] if script.is_file() else [sys.executable, "-c", CODE])
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("VAE_CLI_")}
    return subprocess.run(
        [*program, *arguments], cwd=work, env=inherited | ENVIRONMENT, capture_output=True,
        text=True, timeout=90,
    )  # fmt: skip


@pytest.mark.parametrize("choice", ["posterior=planar", "model=factor_analysis"])
def test_two_processes(choice: str, tmp_path: Path) -> None:
    done = start([*ARGUMENTS, choice], tmp_path)
    assert done.returncode == 0, done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
    run = tmp_path / "run"
    found = json.loads((run / "results.json").read_text(encoding="utf-8"))
    last = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == 1437 // 100

    model, config = load_model(run / "checkpoints" / "best.ckpt")
    experiment = build(config)
    split = experiment.splits["test"]
    evaluation = Evaluation(experiment.metrics, config.seed, "test")
    for number, index in enumerate(torch.arange(len(split)).split(EVALUATION_BATCH)):
        evaluation.add(model.eval(), number, split.batch(index))
    for key, value in evaluation.results([evaluation.state]).items():
        expected = value if value is None else pytest.approx(value, rel=1e-6)
        assert found[f"test/{key}"] == expected, key


def test_mistake_is_told_once(tmp_path: Path) -> None:
    done = start([*ARGUMENTS, "optimizer.lr=1e30", "logger=none"], tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("vae-train:") == 1 and "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("results.json"))


DEADLY = """
import os, signal, sys
from vae_cli.commands.train import main
from vae_cli.training.callbacks import Throughput

after_step = Throughput.after_step

def deadly(self, step, device):
    if step == 9 and os.environ.get("LOCAL_RANK", "0") == VICTIM:
        os.kill(os.getpid(), signal.SIGTERM)
    return after_step(self, step, device)

Throughput.after_step = deadly
if __name__ == "__main__":
    sys.exit(main())
"""


def test_a_signal_to_one_process_stops_both(tmp_path: Path) -> None:
    """And the run, gone on with, is as if it had never been stopped."""
    brief = ["accelerator=ddp_cpu", "data.batch_size=100", "trainer.max_steps=20", "logger=none",
             "metric=[]", "figure=[]", "network.hidden_dims=[8]", "posterior=radial"]  # fmt: skip
    (tmp_path / "deadly.py").write_text(DEADLY.replace("VICTIM", repr("1")), encoding="utf-8")
    deadly = [sys.executable, str(tmp_path / "deadly.py")]
    stopped = start([*brief, "hydra.run.dir=run"], tmp_path, deadly)
    assert stopped.returncode == 75, stopped.stderr
    assert stopped.stderr.count("vae-train:") == 1 and "stopped and saved" in stopped.stderr
    last = read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt")
    assert last["global_step"] in (9, 10)  # the other process hears of it a step later
    assert start(["resume=run"], tmp_path).returncode == 0
    assert start([*brief, "hydra.run.dir=straight"], tmp_path).returncode == 0
    ends = [read_checkpoint(tmp_path / n / "checkpoints/last.ckpt") for n in ("run", "straight")]
    assert ends[0]["global_step"] == ends[1]["global_step"] == 20
    for name, weight in ends[0]["state_dict"].items():
        assert weight.equal(ends[1]["state_dict"][name])
