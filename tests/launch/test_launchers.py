"""Processes that somebody else has started are one run, and find what one process finds."""

import csv
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from processes import CODE, DEADLY, ENVIRONMENT

from vae_cli.commands import eval as evaluate
from vae_cli.commands import train
from vae_cli.commands.runs import find_run
from vae_cli.config.request import Request
from vae_cli.errors import ConfigError, Interrupted, VaeCliError
from vae_cli.launch import meeting as meeting_module
from vae_cli.launch.launch import (
    SHARED_FOLDER,
    Launch,
    clear_environment,
    find_launch,
    is_first_process,
)
from vae_cli.launch.meeting import Meeting
from vae_cli.run import processes
from vae_cli.run.processes import meet
from vae_cli.training.checkpoint_file import read_checkpoint

TEST_IMAGES = 1100  # three evaluation batches, which two processes can't share out evenly
MEAN = """
from vae_cli.distribution.normal import DiagonalNormal
from vae_cli.posterior.base import Posterior

class Mean(DiagonalNormal):
    def sample_with_log_prob(self, sample_shape):
        z = self.loc.expand(*sample_shape, *self.loc.shape)
        return z, self.log_prob(z)

class MeanPosterior(Posterior):
    def __init__(self, latent_dim):
        super().__init__()
        self.parameter_count = 2 * latent_dim

    def forward(self, features):
        return Mean(*features.chunk(2, dim=-1))
"""
BRIEF = [
    "data=array", "data.path=images.npz", "data.batch_size=30", "data.binarize=threshold",
    "latent_dim=2", "network.hidden_dims=[8]", "posterior=mean", "trainer.max_steps=18",
    "trainer.log_every=1", "logger=csv", "metric=[]", "figure=[]",
]  # fmt: skip
TASKS = {"SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "2", "SLURM_NNODES": "1",
         "SLURM_NODEID": "0", "SLURM_NODELIST": "127.0.0.1", "SLURM_JOB_NAME": "a job"}  # fmt: skip
LAUNCHERS = ("SLURM_", "TORCHELASTIC_", "MASTER_", "NODE_RANK", "LOCAL_", "GROUP_", "VAE_CLI_")
Outcome = tuple[int, str, str]  # exit code, output, errors


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images, a posterior without draws, and the run of one process."""
    work = tmp_path_factory.mktemp("launchers")
    pixels = np.random.default_rng(0).integers(0, 256, (200 + TEST_IMAGES, 4, 4), np.uint8)
    np.savez(work / "images.npz", train=pixels[:200], test=pixels[200:])
    (work / "mean.py").write_text(MEAN, encoding="utf-8")
    option = work / "conf" / "posterior" / "mean.yaml"
    option.parent.mkdir(parents=True)
    option.write_text("_target_: mean.MeanPosterior\n_partial_: true\n", encoding="utf-8")
    (work / "vae_train.py").write_text(CODE, encoding="utf-8")
    (work / "deadly.py").write_text(DEADLY.replace("VICTIM", "'1'"), encoding="utf-8")
    command = [sys.executable, "vae_train.py", *BRIEF, "hydra.run.dir=one"]
    ((code, _, errors),) = together(work, [({}, command)])
    assert code == 0, errors
    return work


def free_port() -> str:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return str(server.getsockname()[1])


def together(work: Path, commands: Sequence[tuple[dict[str, str], list[str]]]) -> list[Outcome]:
    """Starts all, each with its own variables, the last one first, and waits."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(LAUNCHERS)}
    python_path = os.pathsep.join([str(work), *filter(None, [os.environ.get("PYTHONPATH")])])
    with ExitStack() as stack:
        started = list[subprocess.Popen[str]]()
        for own, command in reversed(commands):
            process = subprocess.Popen(
                command, cwd=work, env=inherited | ENVIRONMENT | {"PYTHONPATH": python_path} | own,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            started.append(stack.enter_context(process))
            stack.callback(process.kill)
        said = [process.communicate(timeout=180) for process in started]
    return [(p.returncode, *texts) for p, texts in zip(started, said, strict=True)][::-1]


def torchrun(*flags: str) -> list[str]:
    return [sys.executable, "-m", "torch.distributed.run", *flags]


def tasks(*arguments: str) -> list[tuple[dict[str, str], list[str]]]:
    """What srun would start: two processes that nothing but Slurm's variables tells apart."""
    shared = TASKS | {"SLURM_JOB_ID": "4711", "MASTER_PORT": free_port()}
    return [
        (
            shared | {"SLURM_PROCID": n, "SLURM_LOCALID": n},
            [sys.executable, "vae_train.py", *arguments],
        )
        for n in "01"
    ]


def curves(run: Path) -> dict[str, list[float]]:
    with (run / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [n for n in rows[0] if n.startswith(("train/", "validation")) and "second" not in n]
    return {name: [float(row[name]) for row in rows if row[name]] for name in names}


def check_same(work: Path, run: Path) -> None:
    """Whether a run is that of one process: curves, weights, and each test image counted once."""
    found, wanted = curves(run), curves(work / "one")
    assert len(wanted["train/loss"]) == 18 and found.keys() == wanted.keys()
    for name, values in wanted.items():
        assert found[name] == pytest.approx(values, rel=1e-5, abs=1e-5), name
    ends = [read_checkpoint(r / "checkpoints" / "last.ckpt") for r in (run, work / "one")]
    assert ends[0]["global_step"] == ends[1]["global_step"] == 18
    for name, weight in ends[0]["state_dict"].items():
        torch.testing.assert_close(weight, ends[1]["state_dict"][name], rtol=1e-4, atol=1e-5)
    results, alone = (json.loads((r / "results.json").read_text()) for r in (run, work / "one"))
    assert results["test/images"] == alone["test/images"] == TEST_IMAGES
    for name in (n for n in alone if n.startswith("test/") and alone[n] is not None):
        assert results[name] == pytest.approx(alone[name], rel=1e-5), name


def test_one_node_by_torchrun_stops_and_resumes_by_slurm(work: Path) -> None:
    """A signal to the second process saves all; ``resume=auto`` is decided by the first."""
    options = [*BRIEF, "accelerator=ddp_cpu", "resume=auto", "run_id=job", "trust=true"]
    agent = torchrun("--nproc_per_node=2", f"--master_port={free_port()}", "deadly.py")
    ((code, output, errors),) = together(work, [({}, [*agent, *options])])
    assert code == 1 and output.count("step 6/18") == 1  # torchrun's own code, whatever the run's
    assert errors.count("vae-train: stopped and saved") == errors.count("vae-train:") == 1
    assert errors.count("exitcode  : 75") == 2
    run = work / "outputs" / "array_vae" / "job"
    assert read_checkpoint(run / "checkpoints" / "last.ckpt")["global_step"] in (9, 10)
    outcomes = together(work, tasks(*options))
    assert [code for code, _, _ in outcomes] == [0, 0], outcomes
    assert outcomes[0][1].count("test/elbo") == 1 and outcomes[1][1:] == ("", "")
    assert [p.name for p in run.parent.iterdir()] == ["job"]
    assert len((run / "command.txt").read_text().splitlines()) == 2
    check_same(work, run)


def test_two_nodes_by_torchrun(work: Path) -> None:
    """The folder is named after the time: the first one's."""
    master = ["--master_addr=127.0.0.1", f"--master_port={free_port()}", "--nnodes=2"]
    options = [*BRIEF, "accelerator=ddp_cpu", "accelerator.devices=1", "accelerator.nodes=2"]
    nodes = [
        ({}, [*torchrun(*master, f"--node_rank={n}", "vae_train.py"), *options]) for n in range(2)
    ]
    before = {*work.rglob("checkpoints")}
    (code, output, errors), (code_1, output_1, errors_1) = together(work, nodes)
    assert code == code_1 == 0, errors + errors_1
    assert output.count("test/elbo") == 1 and output_1 == ""
    (checkpoints,) = {*work.rglob("checkpoints")} - before
    assert len((checkpoints.parent / "command.txt").read_text().splitlines()) == 1
    check_same(work, checkpoints.parent)


@pytest.mark.parametrize(
    ("error", "known"),
    [(ConfigError("data.root", "there", "is not"), VaeCliError), (KeyboardInterrupt, Interrupted)],
)
def test_what_stops_the_second_stops_the_first(
    error: BaseException, known: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    only({"MASTER_PORT": free_port(), "NODE_RANK": "0"}, monkeypatch)

    def second() -> None:
        with suppress(ConfigError, KeyboardInterrupt), Meeting() as meeting:
            meeting.join(Launch("hand", False, None, None))
            assert meeting.resumed() == ""
            raise error

    with Meeting() as meeting, ThreadPoolExecutor() as pool:
        meeting.join(Launch("hand", True, None, None))
        done = pool.submit(second)
        with pytest.raises(known, match=r"data.root=there: is not|stopped before"):
            meeting.call(2, "")
        done.result()


ELASTIC = {"TORCHELASTIC_RUN_ID": "none", "LOCAL_WORLD_SIZE": "2", "GROUP_WORLD_SIZE": "2",
           "RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "127.0.0.1",
           "MASTER_PORT": "29500"}  # fmt: skip
TASK = TASKS | {"SLURM_PROCID": "1", "SLURM_LOCALID": "1"}
HAND = {"MASTER_ADDR": "node0", "MASTER_PORT": "29500", "NODE_RANK": "1"}


@pytest.mark.parametrize(
    ("variables", "devices", "nodes", "said"),
    [
        (ELASTIC, 1, 2, r"^accelerator.devices=1: torchrun has started 2 .*devices=2, or torchrun"),
        (ELASTIC, [0, 1], 1, r"^accelerator.nodes=1: torchrun has started 2 .*nodes=2, or torchr"),
        (ELASTIC | {"GROUP_WORLD_SIZE": "x"}, 2, 2, r"^GROUP_WORLD_SIZE=x: needs a number"),
        (ELASTIC | {"RANK": "4"}, 2, 2, r"^RANK=4: is beyond .* unset TORCHELASTIC_RUN_ID"),
        (ELASTIC | {"WORLD_SIZE": "3"}, 2, 2, r"^WORLD_SIZE=3: .* unset TORCHELASTIC_RUN_ID"),
        (TASK | {"SLURM_NNODES": "2"}, 2, 2, r"^SLURM_NTASKS=2: .*Try srun --ntasks=4"),
        (TASK, 2, 2, r"^accelerator.nodes=2: srun has started 1 .*or srun --nodes=2.*unset SLURM"),
        ({k: v for k, v in TASK.items() if "PER_NODE" not in k}, 2, 1, r"^SLURM_NTASKS=2: .*-per-"),
        (TASK | {"SLURM_NTASKS_PER_NODE": "0"}, 2, 1, r"^SLURM_NTASKS_PER_NODE=0: needs a number"),
        (TASK | {"SLURM_PROCID": "2"}, 2, 1, r"^SLURM_PROCID=2: is beyond"),
        ({"SLURM_NTASKS": "1"}, 2, 1, r"^accelerator.devices=2: srun has started 1 "),
        ({}, 1, 2, r"^accelerator.nodes=2: .*can't find each other. Set MASTER_ADDR"),
        ({"LOCAL_RANK": "0"}, 2, 1, r"^accelerator.devices=2: .*MASTER_PORT is missing"),
        (HAND | {"NODE_RANK": "2"}, 1, 2, r"^accelerator.nodes=2: NODE_RANK=2 is beyond"),
        (HAND | {"LOCAL_RANK": "2"}, 2, 2, r"^accelerator.devices=2: LOCAL_RANK=2 is beyond"),
    ],
)
def test_mismatch(
    variables: dict[str, str], devices: int | list[int], nodes: int, said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    only(variables, monkeypatch)
    with pytest.raises(ConfigError, match=said):
        find_launch().check(devices, nodes)


@pytest.mark.parametrize(
    ("variables", "devices", "nodes", "met", "is_first"),
    [
        ({}, 1, 1, 1, True),
        ({}, 4, 1, 1, True),  # Lightning starts the others
        ({SHARED_FOLDER: "run", "LOCAL_RANK": "1"}, 4, 1, 1, False),
        (ELASTIC, 2, 2, 4, False),
        (TASK | {"SLURM_PROCID": "0"}, 2, 1, 2, True),
        (TASK, [0, 3], 1, 2, False),
        (TASKS | {"SLURM_JOB_NAME": "bash", "SLURM_PROCID": "1"}, 2, 1, 1, True),
        ({"SLURM_NTASKS": "1", "SLURM_JOB_ID": "4711"}, 1, 1, 1, True),
        (HAND, 2, 2, 2, False),  # one process on each node, where Lightning starts the others
        (HAND | {"NODE_RANK": "0", "LOCAL_RANK": "0"}, 2, 2, 4, True),
    ],
)
def test_who_meets(
    variables: dict[str, str], devices: int | list[int], nodes: int, met: int, is_first: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    only(variables, monkeypatch)
    assert find_launch().check(devices, nodes) == met
    assert is_first_process() == is_first


@pytest.mark.parametrize("mark", ["TORCHELASTIC_RUN_ID", "SLURM_NTASKS"])
def test_what_a_launcher_always_sets_is_there(mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = ELASTIC if mark in ELASTIC else TASK
    optional = {mark, "SLURM_NTASKS_PER_NODE", "SLURM_NNODES", "SLURM_NODELIST", "SLURM_JOB_NAME"}
    for name in {*variables} - optional:
        only({k: v for k, v in variables.items() if k != name}, monkeypatch)
        with pytest.raises(ConfigError, match=f"^{mark}=.*{name} is missing.*unset {mark}"):
            find_launch()


LEFT_OVER = [
    {"LOCAL_RANK": "1"},
    {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"},
    {"NODE_RANK": "1"},
    {"SLURM_PROCID": "3"},
    {"SLURM_NTASKS": "1", "SLURM_PROCID": "1", "LOCAL_RANK": "1"},
    HAND | {"RANK": "1"},
    HAND | {"LOCAL_RANK": "1", "NODE_RANK": "0"},
    {"MASTER_PORT": "x", "LOCAL_RANK": "x"},
]


@pytest.mark.parametrize("variables", LEFT_OVER)
def test_left_over_ranks_do_not_matter_to_a_lone_run(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    only(variables, monkeypatch)
    with Meeting() as meeting:
        launch = meet(Request.of("train", ["accelerator=cpu"]), meeting, find_run)
        assert launch.check(1, 1) == 1
        clear_environment(launch, is_lone=True)
        assert is_first_process() and not meeting.is_second
    left = {"RANK", "WORLD_SIZE", "LOCAL_RANK", "NODE_RANK", "SLURM_NTASKS", "SLURM_PROCID"}
    assert not left & {*os.environ}


@pytest.mark.parametrize(
    "variables", [{"TORCHELASTIC_RUN_ID": "a"}, ELASTIC, TASK, HAND, {"SLURM_NTASKS": "2"}]
)
@pytest.mark.parametrize("main", [train.main, evaluate.main])
def test_a_mistake_is_never_silent(
    main: Callable[[list[str]], int], variables: dict[str, str], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    only(variables, monkeypatch)
    monkeypatch.setattr(processes, "BRIEF", 0.0)  # nobody answers
    monkeypatch.setattr(meeting_module, "PATIENCE", 0.0)
    monkeypatch.setattr(processes, "PATIENCE", 0.0)
    assert main(["nowhere"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def only(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith((*LAUNCHERS, "RANK", "WORLD_SIZE"))]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
