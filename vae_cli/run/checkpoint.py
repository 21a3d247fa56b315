"""Models from what a run has kept."""

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from vae_cli.config.build import build_model, construct_model
from vae_cli.config.parts import leaves
from vae_cli.config.trust import open_config
from vae_cli.errors import ConfigError, VaeCliError, shell_word
from vae_cli.files import LARGEST_YAML, read_text
from vae_cli.model.base import Model
from vae_cli.run.folder import RunFolder
from vae_cli.training.checkpoint_file import CheckpointError, read_checkpoint

PREFIX = "model."  # of the model's weights within those of the training module
BUILT = ("model", "data", "likelihood")  # groups that are built from a checkpoint's configuration
LEAST = 1000  # sizes up to this are allowed whatever the number of weights


def check_fits(model: nn.Module, weights: Mapping[str, Tensor], run: Path) -> None:
    """Checks that a run can be resumed with a model.

    Args:
        model: The model to resume with.
        weights: Of the training module, from a checkpoint.
        run: The run's folder.

    Raises:
        ConfigError: If they are not of such a model.
    """
    if difference := _difference(model, _model_weights(weights), "with these settings"):
        remedy = "Leave out the settings that change the model."
        raise ConfigError("resume", run, difference, remedy)


def load_model(path: str | Path, trust: bool = False) -> tuple[Model, DictConfig]:
    """Rebuilds a model from a checkpoint alone.

    Args:
        path: Of the checkpoint.
        trust: Whether today's command line trusts whoever made it: only then may its configuration
            name targets that are not in this package.

    Returns:
        The model, on the CPU, with the checkpoint's weights, and its configuration.

    Raises:
        VaeCliError: If the checkpoint cannot be read, if its configuration is made of anything but
            this package's parts and plain values, or if the two do not fit.
    """
    path = Path(path)
    run = path.parent.parent
    try:
        checkpoint = read_checkpoint(path)
    except CheckpointError as error:
        remedy = f"Try checkpoint={'last' if path.stem == 'best' else 'best'}."
        raise ConfigError("run", run, str(error), remedy) from error
    weights = _model_weights(checkpoint["state_dict"])
    try:
        config = open_config(checkpoint["config"], path.name, BUILT, trust)
        if not trust:
            _check_sizes(config, weights)
        with torch.device("meta"):  # nothing is allocated before the weights are known to fit
            outline = construct_model(config)
        if difference := _difference(outline, weights, "by its configuration"):
            raise VaeCliError(difference)
        model = build_model(config)
        model.load_state_dict(weights)
    except VaeCliError as error:
        RunFolder(run).check_version(error)
        raise _of_run("run", run, path.name, error) from error
    return model, config


def open_saved(folder: RunFolder, key: str, groups: Collection[str], trust: bool) -> DictConfig:
    """The configuration that a run's folder holds, fit to build some groups from.

    Args:
        folder: Of the run.
        key: Which the user gave the folder to.
        groups: That objects are to be built from.
        trust: As for ``load_model``.

    Raises:
        ConfigError: If it cannot be read, or is made of anything but the package's parts.
    """
    try:
        text = read_text(folder.config, LARGEST_YAML)
        return open_config(text, folder.config.name, groups, trust)
    except VaeCliError as error:
        folder.check_version(error)
        raise _of_run(key, folder.path, folder.config.name, error) from error


def _of_run(key: str, run: Path, file: str, error: VaeCliError) -> ConfigError:
    """The same mistake as one of a run that a command was given."""
    if not isinstance(error, ConfigError):
        return ConfigError(key, run, f"{file}: {error}")
    mistake = ConfigError(error.key, error.value, error.rule)
    return ConfigError(key, run, f"{file}: {mistake}", error.remedy)


def _model_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(PREFIX): value
        for name, value in weights.items()
        if str(name).startswith(PREFIX)
    }


def _difference(model: nn.Module, weights: Mapping[str, Any], whose: str) -> str:
    """In which weight a checkpoint differs from a model, a clause; empty if in none."""
    ours = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    for name in [*ours, *weights]:
        found = weights.get(name)
        theirs = tuple(found.shape) if isinstance(found, Tensor) else None
        if ours.get(name) != theirs:
            return f"{PREFIX}{name} is {theirs} in the run and {ours.get(name)} {whose}"
    return ""


def _check_sizes(config: DictConfig, weights: Mapping[str, Any]) -> None:
    """Checks that no size of a model exceeds the number of its weights.

    Every unit, channel, class and latent dimension has a weight: a larger size is a lie, and would
    be looped over before anybody notices.
    """
    count = sum(value.numel() for value in weights.values() if isinstance(value, Tensor))
    most, shape = max(count, LEAST), list(config.derived.shape)
    if math.prod(shape) > most:
        rule = f"is larger than a model of {count} weights can have"
        raise ConfigError("derived.shape", shape, rule)
    for key, value in leaves(OmegaConf.to_container(config.model), "model"):
        if key.endswith(".shape") and value != shape:
            raise ConfigError(key, value, f"differs from derived.shape={shape}")
        for size in value if isinstance(value, list) else [value]:
            if isinstance(size, int) and abs(size) > most:
                rule = f"is larger than a model of {count} weights can have"
                raise ConfigError(key, size, rule)
        if isinstance(value, list) and len(value) > most:
            raise ConfigError(key, value, f"has more than {most} entries")


def checkpoint_of(folder: RunFolder, which: str) -> Path:
    """The ``best`` or the ``last`` checkpoint of a run.

    Raises:
        ConfigError: If it has none.
    """
    checkpoint = folder.best if which == "best" else folder.last
    if not checkpoint.is_file():
        rule = f"it has no {checkpoint.name}"
        others = [c.stem for c in (folder.best, folder.last) if c.is_file()]
        resume = f"Try vae-train resume={shell_word(folder.path)}."
        remedy = f"Try checkpoint={others[0]}." if others else resume
        raise ConfigError("run", folder.path, rule, remedy)
    return checkpoint
