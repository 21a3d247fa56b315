"""From a command line to a configuration, with mistakes told in one line."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, open_dict
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from vae_cli.config.check import check
from vae_cli.config.explain import (
    NotComposable,
    check_single,
    composed,
    explained,
    parsed,
    with_default,
)
from vae_cli.config.folders import (
    check_clashes,
    check_expansion,
    default_options,
    groups_of,
    search_path,
    search_path_override,
)
from vae_cli.config.keys import SETTINGS, TrainSettings
from vae_cli.errors import ConfigError, VaeCliError

CONFIG_MODULE = "vae_cli.conf"


def compose(
    config_name: str, overrides: Sequence[str], config_dir: str | None = None
) -> tuple[DictConfig, str]:
    """Composes and checks a configuration; nothing heavy is imported and nothing written.

    Args:
        config_name: Name of the primary file.
        overrides: As on the command line.
        config_dir: A folder of the user's own yamls.

    Returns:
        The configuration, and the folder that the run is to have.

    Raises:
        VaeCliError: With one line for the user.
    """
    folders = search_path(config_dir)
    check_expansion(folders)
    groups = groups_of(config_name, folders)
    everything = [*search_path_override(folders), *overrides]
    with _hydra():
        try:
            full = composed(config_name, everything)
            cfg = full.copy()
            with open_dict(cfg):
                del cfg["hydra"]
            check_clashes(folders, full.hydra.runtime.choices)
            check_single(cfg, full.hydra.runtime.choices, default_options(config_name), overrides)
            check(cfg, groups, SETTINGS.get(config_name, TrainSettings))
            return cfg, str(full.hydra.run.dir)
        except ConfigError as error:
            if error.remedy:
                raise
            raise with_default(error, config_name, everything, groups) from error
        except YAMLError as error:
            raise VaeCliError(f"a yaml can't be read: {' '.join(str(error).split())}") from error
        except (NotComposable, OmegaConfBaseException, RecursionError, ValueError) as error:
            raise explained(error, config_name, everything, groups) from error


def check_sweep(config_name: str, overrides: Sequence[str], config_dir: str | None) -> None:
    """Checks every value that a sweep goes through, each beside the first ones of the others.

    Raises:
        VaeCliError: With one line for the user, before any job has run.
    """
    choices: list[list[str]] = []
    for text in overrides:
        override = parsed(text)
        if override.is_sweep_override() and not override.is_hydra_override():
            key = override.get_key_element()
            choices.append([f"{key}={value}" for value in override.sweep_string_iterator()])
        else:
            choices.append([text])
    first = [values[0] for values in choices]
    compose(config_name, first, config_dir)
    for i, values in enumerate(choices):
        for value in values[1:]:
            compose(config_name, [*first[:i], value, *first[i + 1 :]], config_dir)


def check_again(cfg: DictConfig) -> None:
    """Checks a configuration that was composed or changed elsewhere, as in a sweep."""
    check(cfg, groups_of("train", search_path(None)))


@contextmanager
def _hydra() -> Iterator[None]:
    GlobalHydra.instance().clear()
    previous = HydraConfig.instance().cfg
    try:
        with hydra.initialize_config_module(
            CONFIG_MODULE, version_base="1.3", job_name="vae-train"
        ):
            yield
    finally:
        HydraConfig.instance().cfg = previous
