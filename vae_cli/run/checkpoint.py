"""Models from what a run has kept."""

from collections.abc import Mapping
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from vae_cli.config.build import build_model
from vae_cli.config.trust import MODEL, check_targets
from vae_cli.errors import ConfigError
from vae_cli.model.base import Model
from vae_cli.run.folder import RunFolder
from vae_cli.training.checkpoint_file import CheckpointError, read_checkpoint

PREFIX = "model."  # of the model's weights within those of the training module


def check_fits(model: nn.Module, weights: Mapping[str, Tensor], run: Path) -> None:
    """Checks that a run can be gone on with.

    Args:
        model: That is to go on.
        weights: Of the training module, from a checkpoint.
        run: The run's folder.

    Raises:
        ConfigError: If they are not of such a model.
    """
    ours = {f"{PREFIX}{name}": tuple(value.shape) for name, value in model.state_dict().items()}
    for name in [*ours, *(name for name in weights if name.startswith(PREFIX))]:
        theirs = tuple(weights[name].shape) if name in weights else None
        if ours.get(name) != theirs:
            rule = f"{name} is {theirs} in the run and {ours.get(name)} with these settings"
            raise ConfigError("resume", run, rule, "Leave out the settings that change the model.")


def load_model(path: str | Path, trust: bool = False) -> tuple[Model, DictConfig]:
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
    path = Path(path)
    try:
        checkpoint = read_checkpoint(path)
    except CheckpointError as error:
        remedy = f"Try checkpoint={'last' if path.stem == 'best' else 'best'}."
        raise ConfigError("run", path.parent.parent, str(error), remedy) from error
    config = OmegaConf.create(checkpoint["config"])
    assert isinstance(config, DictConfig)
    if not trust:
        rule = "a checkpoint may only be made of this package's modules and torch.nn's"
        for group in ("model", "data", "likelihood"):
            check_targets(OmegaConf.to_container(config[group]), MODEL, rule)
    state = checkpoint["state_dict"].items()
    try:
        model = build_model(config)
        model.load_state_dict({k.removeprefix(PREFIX): v for k, v in state if k.startswith(PREFIX)})
    except Exception as error:  # an older version's parts may have other names, or other weights
        RunFolder(path.parent.parent).check_version(error)
        raise
    return model, config
