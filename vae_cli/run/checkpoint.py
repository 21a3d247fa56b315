"""Models from what a run has kept."""

from pathlib import Path

import torch
from omegaconf import DictConfig, OmegaConf
from torch import nn

from vae_cli.config.build import build_model
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.model.base import LatentVariableModel

TRUSTED = ("vae_cli", "torch", "torchvision", "pytorch_lightning")


def load_weights(module: nn.Module, path: Path) -> None:
    """Puts a checkpoint's weights into a training module.

    Raises:
        VaeCliError: If they are not of such a module.
    """
    try:
        module.load_state_dict(
            torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
        )
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise VaeCliError(f"{path}: does not fit the configured model. {reason}") from error


def load_model(path: str | Path) -> tuple[LatentVariableModel, DictConfig]:
    """Rebuilds a model from a checkpoint alone.

    Args:
        path: Of the checkpoint.

    Returns:
        The model, on the CPU, with the checkpoint's weights, and its configuration.

    Raises:
        ConfigError: If the configuration would instantiate anything that is not of this package,
            torch, torchvision or Lightning: it may be somebody else's.
    """
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    config = OmegaConf.create(checkpoint["config"])
    assert isinstance(config, DictConfig)
    _check_targets(OmegaConf.to_container(config))
    model = build_model(config)
    prefix = "model."
    state = checkpoint["state_dict"].items()
    model.load_state_dict(
        {name.removeprefix(prefix): v for name, v in state if name.startswith(prefix)}
    )
    return model, config


def _check_targets(node: object) -> None:
    if isinstance(node, dict):
        target = str(node.get("_target_", TRUSTED[0]))
        if target.partition(".")[0] not in TRUSTED:
            rule = f"only {', '.join(TRUSTED)} may be instantiated from a checkpoint"
            raise ConfigError("_target_", target, rule)
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            _check_targets(child)
