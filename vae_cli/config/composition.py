"""Hydra's composition of a configuration, and that of the options alone."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, open_dict
from yaml import YAMLError

from vae_cli.config.grammar import parsed
from vae_cli.config.vocabulary import Groups
from vae_cli.model.pretrained import Pretrained

PRETRAINED = f"{Pretrained.__module__}.{Pretrained.__name__}"
SEARCH_PATH = "hydra.searchpath"  # given by the command, not by the user


class NotComposable(Exception):  # noqa: N818  a reason, which a command explains
    """Hydra's reason for not composing a configuration, in its words."""


def composed(config_name: str, overrides: Sequence[str]) -> DictConfig:
    """What ``hydra.compose`` gives, with Hydra's own part.

    Raises:
        NotComposable: In place of Hydra's own exceptions, and of TypeErrors and others from input
            that it does not expect, such as a whole number where it looks for a name.
        YAMLError: If a file can't be read.
    """
    try:
        full = hydra.compose(config_name, list(overrides), return_hydra_config=True)
        HydraConfig.instance().set_config(full)  # for ${hydra:...} in any value
        return full
    except YAMLError:
        raise
    except Exception as error:
        raise NotComposable(_words(error)) from error


def _words(error: BaseException) -> str:
    """The message of an exception or of its cause; some of Hydra's are empty."""
    while not str(error) and error.__cause__ is not None:
        error = error.__cause__
    return str(error) or type(error).__name__


def base_of(config_name: str, overrides: Sequence[str], groups: Groups) -> DictConfig:
    """The configuration with the chosen options that exist, and with their own values."""
    readable = [text for text in overrides if "=" in text]
    chosen = [(text, o) for text in readable if not (o := parsed(text)).is_delete()]
    places = [text for text, o in chosen if o.key_or_group == SEARCH_PATH]
    choices = [text for text, o in chosen if _is_choice(o, groups)]
    for tried in ([*places, *choices], places):
        with suppress(NotComposable, YAMLError):
            base = composed(config_name, tried)
            with open_dict(base):
                del base["hydra"]
            return base
    raise NotComposable(config_name)


def _is_choice(override: Override, groups: Groups) -> bool:
    """Whether an override chooses options that exist."""
    value = override.value()
    names = value if isinstance(value, list) else [value]
    options = groups.get(override.key_or_group, ())
    return bool(options) and all(name in (*options, None) for name in names)


def pretrained_part(cfg: DictConfig) -> str | None:
    """Name of the part of a model that comes from a trained run; None if it has none."""
    parts = cast(dict[str, Any], OmegaConf.to_container(cfg.model))
    return next((name for name, part in parts.items() if _target_of(part) == PRETRAINED), None)


def _target_of(part: Any) -> Any:
    return part.get("_target_") if isinstance(part, dict) else None
