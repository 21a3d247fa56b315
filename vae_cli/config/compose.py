"""From a command line to a configuration; a mistake is one line."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from vae_cli.config.check import check
from vae_cli.config.composition import NotComposable, base_of, composed
from vae_cli.config.explain import CommandLine, check_single
from vae_cli.config.folders import (
    check_clashes,
    check_expansion,
    default_options,
    groups_of,
    named_folders,
    say_what_is_read,
    search_path,
    search_path_override,
)
from vae_cli.config.grammar import parsed
from vae_cli.config.keys import SETTINGS
from vae_cli.config.references import freeze, value_of
from vae_cli.config.vocabulary import Vocabulary, as_vae_sample_says, vocabulary_of
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
    """
    full = checked_config(config_name, overrides, config_dir)
    cfg, run_dir = full.copy(), str(full.hydra.run.dir)
    with open_dict(cfg):
        for not_of_the_run in ("hydra", "sweep"):
            cfg.pop(not_of_the_run, None)
    return cfg, run_dir


def vocabulary(
    config_name: str, overrides: Sequence[str], config_dir: str | None = None
) -> Vocabulary:
    """What a command line can set, beside the options that it chooses.

    Args:
        config_name, overrides, config_dir: As for ``compose``; anything may be wrong in them.
    """
    folders = search_path(config_dir)
    groups = groups_of(config_name, folders)
    base = _base(config_name, overrides, folders)
    return as_vae_sample_says(vocabulary_of(config_name, base, groups))


def preset_value(
    config_name: str, overrides: Sequence[str], config_dir: str | None, key: str
) -> Any:
    """The value that the user's own yamls give a key at the top; None where none does.

    It is known before the whole configuration is: a run that is resumed is composed with more.

    Args:
        config_name, overrides, config_dir: As for ``compose``; anything may be wrong in them.
        key: Without dots.
    """
    folders = search_path(config_dir)
    if not folders:  # the package's own yamls leave it null
        return None
    try:
        return OmegaConf.select(_base(config_name, overrides, folders), key)
    except (NotComposable, OmegaConfBaseException, VaeCliError):  # ``compose`` explains
        return None


def _base(config_name: str, overrides: Sequence[str], folders: Sequence[Path]) -> DictConfig:
    """The configuration with the options as chosen, and without the values given to keys."""
    groups = groups_of(config_name, folders)
    with _hydra(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return base_of(config_name, [*search_path_override(folders), *overrides], groups)


def checked_config(
    config_name: str,
    overrides: Sequence[str],
    config_dir: str | None,
    typed: Sequence[str] | None = None,
) -> DictConfig:
    """A configuration with Hydra's own part, in which nothing is wrong.

    Args:
        config_name, overrides, config_dir: As for ``compose``.
        typed: What was typed in place of each override; None if the same.
    """
    folders = search_path(config_dir)
    check_expansion(folders)
    groups = groups_of(config_name, folders)
    everything = [*search_path_override(folders), *overrides]
    as_typed = dict(zip(overrides, typed or overrides, strict=True))
    line = CommandLine(config_name, everything, groups, as_typed)
    with _hydra(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # OmegaConf's and Hydra's advice: lines beside ours
        try:
            full = composed(config_name, everything)
            cfg = full.copy()
            with open_dict(cfg):
                del cfg["hydra"]
            check_clashes(named_folders(config_dir), full.hydra.runtime.choices)
            check_single(cfg, full.hydra.runtime.choices, default_options(config_name), overrides)
            check(cfg, groups, SETTINGS.get(config_name, SETTINGS["train"]))
            with read_write(full.hydra):  # a time is read once
                for part in ("run", "sweep"):
                    node = full.hydra[part]
                    node.dir = str(value_of(full, f"hydra.{part}.dir", node, "dir"))
            freeze(full)
        except ConfigError as error:
            if (explained := line.explain_mistake(error)) is error:
                raise
            raise explained from error
        except YAMLError as error:
            raise VaeCliError(f"a yaml can't be read: {' '.join(str(error).split())}") from error
        except (NotComposable, OmegaConfBaseException, RecursionError, ValueError) as error:
            raise line.explain_failure(error) from error
    unmarked = [folder for folder in folders if folder not in named_folders(config_dir)]
    say_what_is_read(folders, unmarked, _options(full, overrides))
    return full


def _options(full: DictConfig, overrides: Sequence[str]) -> dict[str, list[str]]:
    """The options in use of each group."""
    given = [o for o in map(parsed, overrides) if not o.is_delete()]
    lists = {o.key_or_group: list(map(str, v)) for o in given if isinstance(v := o.value(), list)}
    choices = full.hydra.runtime.choices.items()
    return lists | {str(group): [name] for group, name in choices if isinstance(name, str)}


def check_again(cfg: DictConfig) -> None:
    """Checks a configuration that was changed after it was composed."""
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
