"""Several processes find what one would have found."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from vae_cli.config.build import build
from vae_cli.metric.base import Evaluation
from vae_cli.run.checkpoint import load_model
from vae_cli.training.data_module import EVALUATION_BATCH

ARGUMENTS = [
    "accelerator=ddp_cpu", "data.batch_size=100", "trainer.max_epochs=1",
    "metric.log_likelihood.samples=2", "figure=[]", "hydra.run.dir=run",
]  # fmt: skip
CODE = "import sys; from vae_cli.commands.train import main; sys.exit(main(sys.argv[1:]))"
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}


def start(arguments: list[str], work: Path) -> subprocess.CompletedProcess[str]:
    script = Path(sys.executable).with_name("vae-train")
    program = [str(script)] if script.is_file() else [sys.executable, "-c", CODE]
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
        assert found[f"test/{key}"] == pytest.approx(value, rel=1e-6), key


def test_mistake_is_told_once(tmp_path: Path) -> None:
    done = start([*ARGUMENTS, "optimizer.lr=1e30", "logger=none"], tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("vae-train:") == 1 and "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("results.json"))
