"""Resuming a run: its configuration, its checkpoint, and which defaults have changed since."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from vae_cli.config.compose import check_again, compose
from vae_cli.config.parts import has_reference, leaves
from vae_cli.config.request import Request
from vae_cli.config.suited import SETTLED, is_auto
from vae_cli.config.trust import (
    NOT_SAVED,
    check_resolvers,
    check_resumed,
    check_saved,
)
from vae_cli.errors import ConfigError, VaeCliError, as_written
from vae_cli.files import UnsafeFile, read_yaml
from vae_cli.launch.launch import SHARED_FOLDER
from vae_cli.memory import is_out_of_memory
from vae_cli.run.checkpoint import check_fits
from vae_cli.run.folder import RunFolder
from vae_cli.training.checkpoint_file import CheckpointError, read_checkpoint
from vae_cli.training.experiment import Experiment
from vae_cli.training.optimizer_state import LENGTH
from vae_cli.training.restored import check_restores

Say = Callable[[str], None]


class Start(NamedTuple):
    """A checkpoint to resume from."""

    path: Path
    state: Mapping[str, Any]

    @property
    def step(self) -> int:
        """Optimizer steps taken."""
        return int(self.state["global_step"])

    @property
    def restores(self) -> int:
        """How often the run has gone back to a checkpoint, as its loss was NaN or infinite."""
        return int(self.state.get("restores", 0))


def find_start(folder: RunFolder, experiment: Experiment, say: Say) -> Start | None:
    """The newest checkpoint that is whole; None if none was ever written.

    Args:
        folder: Of the run.
        experiment: The run to resume.
        say: Prints a note about each damaged checkpoint.

    Raises:
        ConfigError: If all are damaged, of another model, or hold a state that cannot be restored.
    """
    found = [path for path in (folder.last, folder.previous) if path.exists()]
    for path in found:
        try:
            state = read_checkpoint(path)
        except CheckpointError as error:
            say(f"{folder.path}: {error}; trying the previous one")
            continue
        check_fits(experiment.model, state["state_dict"], folder.path)
        before = _rate_of(state)
        _check_restores(folder, path.name, state, experiment)  # which adopts today's settings
        _report_rate(before, _rate_of(state), experiment, say)
        if state.get("validated_at", 1) > 0:  # else there has been no best one yet
            try:
                read_checkpoint(folder.best)
            except CheckpointError as error:
                say(f"{folder.path}: {error}; the best one is chosen from here on")
        return Start(path, state)
    if found:
        rule = "its checkpoints are damaged"
        remedy = f"Start it anew: delete {found[0].parent}."
        raise ConfigError("resume", folder.path, rule, remedy)
    return None


class _Rate(NamedTuple):
    """The learning rate of a checkpoint, and the length of its schedule in steps, if it has one."""

    rate: float | None
    length: int | None


def _rate_of(state: Mapping[str, Any]) -> _Rate:
    with suppress(LookupError, TypeError, AttributeError):  # ``check_restores`` finds out why
        schedules = state.get("lr_schedulers") or [{}]
        rate = state["optimizer_states"][0]["param_groups"][0]["lr"]
        return _Rate(float(rate), schedules[0].get(LENGTH))
    return _Rate(None, None)


def _report_rate(before: _Rate, now: _Rate, experiment: Experiment, say: Say) -> None:
    """Says where a schedule that was made longer or shorter leaves the learning rate."""
    length = experiment.config.derived.total_steps
    if before.rate is None or now.rate is None or before.length in (None, length):
        return
    if before.rate != now.rate:
        what = f"the schedule of the learning rate now takes {length} steps, not {before.length}"
        say(f"{what}: the rate goes from {before.rate:.3g} to {now.rate:.3g}")


def _check_restores(
    folder: RunFolder, name: str, state: dict[str, Any], experiment: Experiment
) -> None:
    try:
        check_restores(state, experiment)
    except Exception as error:  # torch and Python raise whatever a malformed state leads to
        if is_out_of_memory(error):
            raise
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        rule = f"no run can be resumed from its {name} ({reason})"
        raise ConfigError("resume", folder.path, rule, "Start the run anew.") from error


def is_finished(experiment: Experiment, folder: RunFolder, start: Start | None) -> bool:
    """Whether a run has ended, by steps or by patience, and has its results."""
    if start is None or not folder.results.is_file():
        return False
    patience = experiment.trainer.patience
    waited = start.state["callbacks"].get("EarlyStopping", {}).get("waited", 0)
    has_stopped = patience is not None and isinstance(waited, int) and waited >= patience
    return has_stopped or start.step >= experiment.config.derived.total_steps


def resumed_config(folder: RunFolder, request: Request) -> tuple[DictConfig, Request, list[str]]:
    """A run's configuration with further overrides.

    What the folder holds is data. Unless today's command line has ``trust=true``, the result is
    made of the package's own parts and plain values.

    Returns:
        The configuration, the request with the saved overrides, and notes for the user.

    Raises:
        VaeCliError: If the folder holds anything else, or the overrides do not go together.
    """
    trust = request.is_trusted
    # The first process of a run checks before it starts others, and then rewrites the folder.
    is_checked = trust or SHARED_FOLDER in os.environ
    saved = folder.saved_overrides()
    try:
        saved = check_saved(saved, request.config_dir, is_checked)
        base, _ = compose(request.config_name, saved, request.config_dir)
        if not is_checked:
            check_resolvers(base)
    except VaeCliError as error:
        folder.check_version(error)
        raise
    everything = request.without("resume").after(saved)
    cfg, _ = everything.compose()
    cfg.trust, cfg.resume = trust, None
    changes = _keep_defaults(folder, base, cfg)
    if not is_checked:
        check_resumed(cfg)
    check_again(cfg)
    return cfg, everything, changes


def _keep_defaults(folder: RunFolder, base: DictConfig, config: DictConfig) -> list[str]:
    """Restores the defaults of the day on which the run was started.

    Args:
        folder: Of the run.
        base: What the run's own overrides give today.
        config: With the overrides of this resume, too, which count; changed in place.

    Returns:
        A note for each default that has changed since.
    """
    if not folder.composed.is_file():
        return []  # of a version that kept no record
    then = dict(leaves(_saved(folder.composed)))
    today, now = (dict(leaves(OmegaConf.to_container(cfg))) for cfg in (base, config))
    concrete = dict(leaves(_saved(folder.config)) if folder.config.is_file() else ())
    changed = []
    for key, value in then.items():
        if key in NOT_SAVED or key not in today or value == today[key]:
            continue
        if now.get(key, value) == today[key]:
            # A saved reference is replaced by the value that it had.
            kept = concrete.get(key, today[key]) if has_reference(value) else value
            if has_reference(kept) and kept != today[key]:
                rule = f"its {key}={as_written(kept)} is not a plain value"
                raise ConfigError("resume", folder.path, rule, "Start the run anew.")
            if kept != today[key]:
                OmegaConf.update(config, key, kept, merge=False)
                changed.append((key, kept))
    return [
        f"{key} was {as_written(kept)} when the run was started. The default is now "
        f"{as_written(today[key])}, but the run keeps its value"
        for key, kept in changed
    ]


def keep_settled(folder: RunFolder, config: DictConfig) -> None:
    """Replaces each ``auto`` by what the run has chosen: its data may have changed.

    Args:
        folder: Of the run.
        config: As ``resumed_config`` returns it, once it is recorded; changed in place.

    Raises:
        VaeCliError: If its choice is neither plain nor of the package's own parts.
    """
    for key in (key for key in SETTLED if is_auto(config, key)):
        value = _saved(folder.config) if folder.config.is_file() else None
        for name in key.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if has_reference(value):
            rule = f"its {key}={as_written(value)} is not a plain value"
            raise ConfigError("resume", folder.path, rule, "Start the run anew.")
        if value is not None:
            OmegaConf.update(config, key, value, merge=False)
    if not config.trust and SHARED_FOLDER not in os.environ:
        check_resumed(config)
    check_again(config)


def _saved(file: Path) -> Any:
    try:
        return read_yaml(file)
    except UnsafeFile as error:
        rule = str(error)
        raise ConfigError("resume", file.parent, rule, "Start the run anew.") from error
