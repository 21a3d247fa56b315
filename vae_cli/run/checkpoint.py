"""Models from what a run has kept."""

from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from torch import nn

from vae_cli.config.build import build_model
from vae_cli.config.signature import signature_of
from vae_cli.errors import ConfigError
from vae_cli.model.base import LatentVariableModel

PREFIX = "model."  # of the model's weights within those of the training module
# What a model of somebody else's may be made of; a wider list would let its configuration call
# torch.hub.load or, through a module's own imports, os.system.
GROUPS = ("data", "model", "network", "posterior", "prior", "likelihood", "distribution")
TRUSTED = (*(f"vae_cli.{group}." for group in GROUPS), "torch.nn.")


def load_weights(module: nn.Module, path: Path) -> None:
    """Puts a checkpoint's weights into the training module that it is of."""
    module.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["state_dict"])


def check_fits(model: nn.Module, path: Path) -> None:
    """Checks that a checkpoint can be gone on from.

    Raises:
        ConfigError: If its weights are not of such a model.
    """
    remedy = f"Try it with a copy of {path.parent}/best.ckpt."
    saved = _read(path, "resume", remedy)["state_dict"]
    ours = {f"{PREFIX}{name}": tuple(value.shape) for name, value in model.state_dict().items()}
    for name in [*ours, *(name for name in saved if name.startswith(PREFIX))]:
        theirs = tuple(saved[name].shape) if name in saved else None
        if ours.get(name) != theirs:
            rule = f"{name} is {theirs} in the run and {ours.get(name)} with these settings"
            remedy = "Leave out the settings that change the model."
            raise ConfigError("resume", path.parent.parent, rule, remedy)


def load_model(path: str | Path, trust: bool = False) -> tuple[LatentVariableModel, DictConfig]:
    """Rebuilds a model from a checkpoint alone.

    Args:
        path: Of the checkpoint.
        trust: Whether its configuration may name any module at all.

    Returns:
        The model, on the CPU, with the checkpoint's weights, and its configuration.

    Raises:
        ConfigError: If the checkpoint can't be read, or if its configuration would instantiate
            anything but a model's parts and data, which are the modules of this package and of
            torch.nn: it may be somebody else's.
    """
    other = "last" if Path(path).stem == "best" else "best"
    checkpoint = _read(Path(path), "run", f"Try checkpoint={other}.")
    config = OmegaConf.create(checkpoint["config"])
    assert isinstance(config, DictConfig)
    if not trust:
        for group in ("model", "data", "likelihood"):
            _check_targets(OmegaConf.to_container(config[group]))
    model = build_model(config)
    state = checkpoint["state_dict"].items()
    model.load_state_dict({k.removeprefix(PREFIX): v for k, v in state if k.startswith(PREFIX)})
    return model, config


def _read(path: Path, key: str, remedy: str) -> dict[str, Any]:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever the damage leads to
        rule = f"{path.name} can't be read"
        raise ConfigError(key, path.parent.parent, rule, remedy) from error


def _check_targets(node: object) -> None:
    if isinstance(node, dict):
        target = node.get("_target_")
        trusted = str(target).startswith(TRUSTED) and signature_of(str(target)) is not None
        if target is not None and not trusted:
            rule = "a checkpoint may only be made of this package's modules and torch.nn's"
            raise ConfigError("_target_", target, rule, "If you trust the run, try trust=true.")
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            _check_targets(child)
