"""Going on with a run: where it stands, and what has changed since it was started."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from vae_cli.config.build import Experiment
from vae_cli.errors import ConfigError, as_written
from vae_cli.model.base import Model
from vae_cli.run.checkpoint import check_fits
from vae_cli.run.folder import RunFolder
from vae_cli.training.checkpoint_file import CheckpointError, read_checkpoint

Say = Callable[[str], None]


class Start(NamedTuple):
    """A checkpoint to go on from."""

    path: Path
    state: Mapping[str, Any]

    @property
    def step(self) -> int:
        """Optimizer steps taken."""
        return int(self.state["global_step"])

    @property
    def restores(self) -> int:
        """How often the run has gone back to a checkpoint, its numbers having broken."""
        return int(self.state.get("restores", 0))


def find_start(folder: RunFolder, model: Model, say: Say) -> Start | None:
    """The newest checkpoint that is whole, None where none was ever written.

    Args:
        folder: Of the run.
        model: That is to go on.
        say: Told of checkpoints that are damaged.

    Raises:
        ConfigError: If all are damaged, or of another model.
    """
    found = [path for path in (folder.last, folder.previous) if path.is_file()]
    for path in found:
        try:
            state = read_checkpoint(path)
        except CheckpointError as error:
            say(f"{folder.path}: {error}; looking for the one before")
            continue
        check_fits(model, state["state_dict"], folder.path)
        if state.get("validated_at", 1) > 0:  # else there has been no best one yet
            try:
                read_checkpoint(folder.best)
            except CheckpointError as error:
                say(f"{folder.path}: {error}; the best from here on counts")
        return Start(path, state)
    if found:
        rule = "its checkpoints are damaged"
        remedy = f"Start it anew: delete {found[0].parent}."
        raise ConfigError("resume", folder.path, rule, remedy)
    return None


def is_finished(experiment: Experiment, folder: RunFolder, start: Start | None) -> bool:
    """Whether a run has come to its end, by steps or by patience, and has its results."""
    if start is None or not folder.results.is_file():
        return False
    patience = experiment.trainer.patience
    early: Mapping[str, Any] = start.state["callbacks"].get("EarlyStopping", {})
    has_stopped = patience is not None and early.get("waited", 0) >= patience
    return has_stopped or start.step >= experiment.config.derived.total_steps


def keep_defaults(folder: RunFolder, base: DictConfig, config: DictConfig) -> list[str]:
    """Gives a run's configuration back what was the default when the run was started.

    Args:
        folder: Of the run.
        base: What the run's own choices come to today.
        config: With the choices of this resume, too, which count; changed in place.

    Returns:
        What there is to say of each default that has changed since.
    """
    if not folder.composed.is_file():
        return []  # of a version that kept no record
    stored = OmegaConf.load(folder.composed)
    then, today, now = (
        dict(_leaves(OmegaConf.to_container(cfg))) for cfg in (stored, base, config)
    )
    changed = [
        key
        for key, value in then.items()
        if key in today and value != today[key] and now.get(key, value) == today[key]
    ]
    for key in changed:
        OmegaConf.update(config, key, then[key], merge=False)
    return [
        f"{key} was {as_written(then[key])} when the run was started and would be "
        f"{as_written(today[key])} by today's defaults; it stays as it was"
        for key in changed
    ]


def _leaves(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a nested configuration, by their dotted keys."""
    if not isinstance(node, dict) or not node:
        yield key, node
        return
    for name, child in node.items():
        yield from _leaves(child, f"{key}.{name}".lstrip("."))
