"""The folder of a run that is to be found again by whoever starts it anew."""

import os
import re
from pathlib import Path

from omegaconf import DictConfig

from vae_cli.errors import ConfigError

# Variables in which schedulers tell a job its number, the same when it is requeued.
JOB_NUMBERS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID")


def identified(cfg: DictConfig, run_dir: str, is_named: bool, is_needed: bool) -> str | None:
    """The folder of a run with an identity: its last part, the time, is then ``run_id``.

    Args:
        cfg: Of the run.
        run_dir: As composed.
        is_named: Whether the user has named the folder.
        is_needed: Whether the run must have an identity; a scheduler's number will do.

    Returns:
        None where it has none.

    Raises:
        ConfigError: If it has none but must, or one that is no name.
    """
    if is_named:
        return run_dir
    name = cfg.run_id if cfg.run_id is not None or not is_needed else _job()
    if name is None and is_needed:
        rule = "needs the job number of a scheduler"
        raise ConfigError("resume", "auto", rule, "Try run_id=SOME_NAME with it.")
    if name is not None and not re.fullmatch(r"[\w.+=-]*\w[\w.+=-]*", str(name)):
        rule = "needs letters, digits and .+=-_"
        raise ConfigError("run_id", name, rule, "Try run_id=trial1.")
    return None if name is None else str(Path(run_dir).with_name(str(name)))


def _job() -> str | None:
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    if array and task:
        return f"{array}_{task}"
    return next(filter(None, map(os.environ.get, JOB_NUMBERS)), None)
