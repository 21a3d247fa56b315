"""One job of a sweep: a separate ``vae-train``, wherever a launcher puts it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO, cast

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from vae_cli.config.grammar import key_of
from vae_cli.config.sweep import is_about_sweep
from vae_cli.errors import NOTE
from vae_cli.folders import open_to_append
from vae_cli.run.child import environment_without, train_command
from vae_cli.sweep.folder import ERRORS, OUTPUT, Ending, SweepFolder
from vae_cli.sweep.warm import LOOK, Task, close_server, run_warm, warm_up

# What a launcher tells its process of its rank, which the job's own processes are not to take
# for theirs.
RANKS = ("SLURM_NTASKS", "RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_PORT")
GPUS = "CUDA_VISIBLE_DEVICES"


def expect_jobs(cfg: DictConfig) -> None:
    """Starts the server for jobs of this process, which loads while the command line is checked.

    Args:
        cfg: Of the first one, with Hydra's part.
    """
    hydra = cfg.hydra
    if _is_warm(cfg, hydra) and "n_jobs" not in hydra.launcher:
        warm_up(_environment(cfg, hydra), hydra.runtime.cwd)


def run_job(sweeper: int, cfg: DictConfig) -> None:
    """Runs the job that Hydra has set up; its folder tells what came of it.

    Args:
        sweeper: The process that carries out the sweep. Processes of joblib's, which it has started
            on this machine, end when it has died.
        cfg: Of the job.
    """
    hydra = cast(DictConfig, HydraConfig.get())
    folder, name = SweepFolder(hydra.sweep.dir), str(hydra.sweep.subdir)
    place = folder.path / name

    def is_over() -> bool:
        return folder.stop.exists() or _is_left("n_jobs" in hydra.launcher, sweeper)

    if folder.stop.exists():
        return
    with suppress(ValueError):  # not the main thread
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver sees to stopping
    own = [t for t in hydra.overrides.task if not is_about_sweep(key_of(t))]
    named = [] if hydra.job.config_name == "train" else ["--config-name", hydra.job.config_name]
    command = train_command(place, own, named)
    began = time.monotonic()
    (place / ERRORS).unlink(missing_ok=True)
    with open_to_append(place / OUTPUT) as output, open_to_append(place / ERRORS) as errors:
        environment, code = _environment(cfg, hydra), None
        if _is_warm(cfg, hydra):
            task = Task(command[2], command[3:], environment, hydra.runtime.cwd)
            code = run_warm(task, output, errors, is_over)
        if code is None:
            code = _run_cold(command, environment, hydra.runtime.cwd, output, errors, is_over)
    folder.write_ending(name, Ending(code, round(time.monotonic() - began, 1)))
    if _holds_notes_only(place / ERRORS):  # which are no errors
        with open_to_append(place / OUTPUT) as output:
            output.write((place / ERRORS).read_text(encoding="utf-8", errors="replace"))
        (place / ERRORS).unlink()
    if _is_left("n_jobs" in hydra.launcher, sweeper):
        close_server()
        os._exit(1)  # it would wait for five minutes, or run the jobs that it was given before


def _is_left(by_joblib: bool, sweeper: int) -> bool:
    """Whether this is a process of joblib's and the sweep's own has died."""
    return by_joblib and sweeper not in (os.getpid(), os.getppid())


def _holds_notes_only(file: Path) -> bool:
    with file.open("rb") as lines:
        return all(line.startswith(NOTE.encode()) for line in lines)


def _is_warm(cfg: DictConfig, hydra: DictConfig) -> bool:
    """Whether a job is forked: one process on this machine, whose libraries survive a fork."""
    is_here = "n_jobs" in hydra.launcher or hydra.launcher._target_.endswith(".BasicLauncher")
    return sys.platform == "linux" and is_here and cfg.accelerator.devices == 1


def _run_cold(
    command: list[str],
    environment: dict[str, str],
    cwd: str,
    output: TextIO,
    errors: TextIO,
    is_over: Callable[[], bool],
) -> int:
    """Runs a job as a new process until the sweep is over; returns its exit code."""
    # Its own session: Ctrl-C in a terminal does not reach it, and what it starts ends with it.
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, cwd=cwd, env=environment,
        start_new_session=True,
    )  # fmt: skip
    is_stopping = False
    while True:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(LOOK)
        if not is_stopping and is_over():
            is_stopping = True
            process.terminate()


def _environment(cfg: DictConfig, hydra: DictConfig) -> dict[str, str]:
    environment = environment_without(RANKS)
    # Launchers of many machines give their jobs GPUs themselves; of the threads, joblib does, too.
    if "n_jobs" in hydra.launcher and cfg.accelerator.devices == 1:
        gpus = visible_gpus()
        if gpus:
            environment[GPUS] = gpus[hydra.job.num % len(gpus)]
    return environment


def visible_gpus() -> list[str]:
    """What ``CUDA_VISIBLE_DEVICES`` may name here, found without loading torch."""
    if GPUS in os.environ:
        return [name for name in os.environ[GPUS].split(",") if name]
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    listed = subprocess.run([program, "-L"], capture_output=True, text=True).stdout
    return [str(i) for i, line in enumerate(listed.splitlines()) if line.startswith("GPU ")]
