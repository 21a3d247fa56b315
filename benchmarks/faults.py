"""Breaks a small run in many ways, resumes it, and counts what it survived.

    OMP_NUM_THREADS=1 python benchmarks/faults.py --trials 200

A fault is survived if the run, gone on with, ends in the very weights, optimizer state, best
checkpoint and test results of a run that nobody disturbed, bit for bit; or, where that can't be,
if one line says what is wrong. Everything happens in processes of their own: the signals, the
limits on file sizes and the deaths are real.
"""

import argparse
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from pytorch_lightning.loggers import TensorBoardLogger
from tensorboard.summary.writer import event_file_writer
from torch.utils.tensorboard.writer import FileWriter

from vae_cli.commands.train import main as vae_train
from vae_cli.data import digits
from vae_cli.data.split import Split
from vae_cli.metric.base import Evaluation
from vae_cli.run import session
from vae_cli.run import train as run_train
from vae_cli.run.folder import RunFolder
from vae_cli.terminal import summary as terminal_summary
from vae_cli.training import checkpoint_file, checkpoints
from vae_cli.training.callbacks import Throughput

EPOCHS, STEPS = 3, 14  # of the run; steps an epoch
SETTINGS = (
    "data.batch_size=100", "network.hidden_dims=[16]", "posterior=planar", "kl_schedule=linear",
    "kl_schedule.warmup_steps=20", "optimizer/lr_schedule=exponential", "trainer.patience=9",
    f"trainer.max_epochs={EPOCHS}", "trainer.save_every=5", "trainer.log_every=4",
    "trainer.progress=false", "metric=[active_units]", "figure=[]",
)  # fmt: skip
STOPPED = 75
HALF_A_CHECKPOINT = 20_000  # bytes
# Of a checkout and an installed package of one name the processes take what is installed.
os.environ["PYTHONSAFEPATH"] = "1"
PROCESSES = multiprocessing.get_context("forkserver")  # its children need not import torch again


class Outcome(NamedTuple):
    """How a command ended."""

    code: int | None  # negative: the signal that killed it
    errors: str


class Death(NamedTuple):
    """Where a process is to receive which signal: at the so-manieth call of something."""

    place: str
    call: int
    number: int = signal.SIGKILL


# What a run comes by once or twice, from its first moment to its last.
PHASES: dict[str, tuple[Any, str]] = {
    "composing": (ConfigLoaderImpl, "load_configuration"),
    "importing": (session, "prepare_libraries"),
    "loading data": (digits, "load_digits"),
    "describing the run": (RunFolder, "describe"),
    "making the logger": (TensorBoardLogger, "__init__"),
    "setting up the loop": (Throughput, "setup"),
    "before the first step": (Throughput, "on_train_start"),
    "queueing an event": (event_file_writer._AsyncWriter, "write"),
    "testing": (run_train, "test"),
    "drawing": (run_train, "_draw"),
    "writing results": (RunFolder, "write_results"),
    "showing results": (terminal_summary, "print_summary"),
}
PLACES: dict[str, tuple[Any, str]] = {
    "a training step": (Throughput, "after_step"),
    "a validation batch": (Evaluation, "add"),
    "reading images": (Split, "batch"),
    "writing a checkpoint": (checkpoint_file.os, "fsync"),
    "renaming a checkpoint": (checkpoints, "_link"),
    "syncing the folder": (checkpoints, "_sync"),
    "writing events": (FileWriter, "add_event"),
    "writing results": (RunFolder, "write_results"),
}


def _child(arguments: Sequence[str], work: str, death: Death | None, limit: int | None) -> None:
    os.chdir(work)
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    if limit is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    if death is not None:
        _arm(death)
    for number, name in ((1, "out"), (2, "errors")):
        os.dup2(os.open(name, os.O_CREAT | os.O_TRUNC | os.O_WRONLY), number)
    code = vae_train(list(arguments))
    sys.exit(code)


def _arm(death: Death) -> None:
    owner, name = (PHASES | PLACES)[death.place]
    original, calls = getattr(owner, name), iter(range(1, sys.maxsize))

    def deadly(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == death.call:
            os.kill(os.getpid(), death.number)
        return original(*args, **kwargs)

    setattr(owner, name, deadly)


class Campaign:
    """A folder in which runs are broken.

    Args:
        work: The folder.
    """

    def __init__(self, work: Path) -> None:
        self.work, self.number = work, 0
        PROCESSES.set_forkserver_preload([__name__, "vae_cli.run.train", "sklearn.datasets"])
        first = self.train("undisturbed")  # waits for the imports, once for all
        assert first.code == 0, first.errors
        self.expected, start = state(work / "undisturbed"), time.monotonic()
        self.train("timed")
        self.seconds = time.monotonic() - start

    def train(
        self,
        run: str,
        *more: str,
        resume: bool = False,
        death: Death | None = None,
        limit: int | None = None,
        seconds: float | None = None,
    ) -> Outcome:
        """Runs vae-train to its end, or until it is killed after so many seconds."""
        arguments = [f"resume={run}"] if resume else [*SETTINGS, f"hydra.run.dir={run}"]
        process = PROCESSES.Process(
            target=_child, args=([*arguments, *more], str(self.work), death, limit)
        )
        process.start()
        process.join(seconds)
        if process.is_alive():
            process.kill()
            process.join()
        return Outcome(process.exitcode, (self.work / "errors").read_text(encoding="utf-8"))

    def new(self) -> str:
        """The name of a run that is not there yet."""
        self.number += 1
        return f"run{self.number}"

    def is_survived(self, run: str) -> bool:
        """Whether a run that was broken comes to the same end, gone on with or begun again."""
        path = self.work / run
        begun = (path / "overrides.yaml").is_file()
        outcome = self.train(run, resume=begun)
        return outcome.code == 0 and state(path) == self.expected


def state(run: Path) -> dict[str, Any]:
    """All that two runs must have in common."""
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = {k: v for k, v in results.items() if k.startswith("test/")}
    for name in ("last", "best"):
        saved = torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)
        keys = ("global_step", "state_dict", "optimizer_states", "lr_schedulers", "callbacks")
        found[name] = _plain({key: saved[key] for key in keys})
    return found


def _plain(node: Any) -> Any:
    """A nested state in which tensors are bytes, to be compared bit for bit."""
    if isinstance(node, dict):
        return {key: _plain(child) for key, child in node.items()}
    if isinstance(node, (list, tuple)):
        return [_plain(child) for child in node]
    return node.numpy().tobytes() if isinstance(node, torch.Tensor) else node


def killed_at(campaign: Campaign, death: Death) -> bool:
    """A signal at a place; if the run never comes there, it must end well."""
    run = campaign.new()
    outcome = campaign.train(run, death=death)
    if outcome.code == 0:
        return state(campaign.work / run) == campaign.expected
    wanted = -signal.SIGKILL if death.number == signal.SIGKILL else STOPPED
    return outcome.code == wanted and campaign.is_survived(run)


def stopped_at(campaign: Campaign, death: Death) -> bool:
    """A signal to stop in a phase: one line, 75, and the run goes on, if it had begun."""
    run = campaign.new()
    outcome = campaign.train(run, death=death)
    if outcome.code == 0:
        return state(campaign.work / run) == campaign.expected
    is_clean = outcome.code == STOPPED and len(outcome.errors.splitlines()) == 1
    has_begun = f"resume={run}" in outcome.errors
    return is_clean and (not has_begun or campaign.is_survived(run))


def killed_after(campaign: Campaign, seconds: float) -> bool:
    """SIGKILL at any moment."""
    run = campaign.new()
    campaign.train(run, seconds=seconds)
    return campaign.is_survived(run)


def killed_often(campaign: Campaign, seconds: float) -> bool:
    """SIGKILL again and again."""
    run = campaign.new()
    for _ in range(4):
        begun = (campaign.work / run / "overrides.yaml").is_file()
        if campaign.train(run, resume=begun, seconds=seconds).code == 0:
            break
    return campaign.is_survived(run)


def full_disk(campaign: Campaign, limit: int) -> bool:
    """No file may be longer than so many bytes."""
    run = campaign.new()
    outcome = campaign.train(run, limit=limit)
    told = outcome.code == 2 and len(outcome.errors.splitlines()) == 1
    return told and campaign.is_survived(run)


def damaged(campaign: Campaign, damage: Callable[[bytes], bytes]) -> bool:
    """The newest checkpoint of a run that was killed is damaged."""
    run = campaign.new()
    campaign.train(run, death=Death("a training step", 2 * STEPS + 3))
    last = campaign.work / run / "checkpoints" / "last.ckpt"
    last.write_bytes(damage(last.read_bytes()))
    return campaign.is_survived(run)


def removed(campaign: Campaign) -> bool:
    """Somebody deletes the folder of a run while it trains: one line, and nothing anew."""
    run = campaign.new()
    stop = Death("renaming a checkpoint", 3, signal.SIGSTOP)
    process = PROCESSES.Process(
        target=_child, args=([*SETTINGS, f"hydra.run.dir={run}"], str(campaign.work), stop, None)
    )
    process.start()
    while process.pid is None or " T " not in Path(f"/proc/{process.pid}/stat").read_text():
        time.sleep(0.01)
    shutil.rmtree(campaign.work / run)
    os.kill(process.pid, signal.SIGCONT)
    process.join()
    errors = (campaign.work / "errors").read_text(encoding="utf-8")
    return process.exitcode == 2 and len(errors.splitlines()) == 1


def trial(campaign: Campaign, chance: random.Random) -> tuple[str, bool]:
    """One fault, drawn at random: its name, and whether it was survived."""

    def flip(content: bytes) -> bytes:
        place = chance.randrange(len(content))
        flipped = bytes([content[place] ^ 1 << chance.randrange(8)])
        return content[:place] + flipped + content[place + 1 :]

    place, call = chance.choice(list(PLACES)), chance.randint(1, EPOCHS * STEPS)
    moment = chance.uniform(0.05, 1) * campaign.seconds
    faults: dict[str, Callable[[], bool]] = {
        f"kill -9 at {place}": lambda: killed_at(campaign, Death(place, call)),
        "kill -9 at any moment": lambda: killed_after(campaign, moment),
        "kill -9 again and again": lambda: killed_often(campaign, moment),
        "SIGTERM at a step": lambda: killed_at(
            campaign, Death("a training step", call, signal.SIGTERM)
        ),
        "SIGTERM at a validation": lambda: killed_at(
            campaign, Death("a validation batch", call % EPOCHS + 1, signal.SIGTERM)
        ),
        "SIGTERM in a phase": lambda: stopped_at(
            campaign, Death(chance.choice(list(PHASES)), chance.randint(1, 2), signal.SIGTERM)
        ),
        "full disk": lambda: full_disk(campaign, chance.randint(4_000, HALF_A_CHECKPOINT)),
        "truncated checkpoint": lambda: damaged(
            campaign, lambda content: content[: chance.randrange(len(content))]
        ),
        "flipped bit": lambda: damaged(campaign, flip),
        "deleted folder": lambda: removed(campaign),
    }
    name = chance.choice(list(faults))
    return name, faults[name]()


def main() -> None:
    """Prints how many faults of each kind were survived."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    tried, survived = Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory() as work:
        campaign = Campaign(Path(work))
        for number in range(given.trials):
            name, is_survived = trial(campaign, random.Random(given.seed * 1_000_003 + number))
            tried[name] += 1
            survived[name] += is_survived
            if not is_survived:
                print(f"trial {number}: {name} was NOT survived", flush=True)
    for name in sorted(tried):
        print(f"{name:36} {survived[name]:4} of {tried[name]:4} survived")
    print(f"{'in all':36} {survived.total():4} of {tried.total():4} survived")


if __name__ == "__main__":
    main()
