"""From a command line to a configuration; a mistake is one line."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Glob, IntervalSweep
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from vae_cli.config.check import check, is_required
from vae_cli.config.composition import NotComposable, base_of, composed
from vae_cli.config.deletion import needed_by
from vae_cli.config.explain import (
    LAUNCHERS,
    check_single,
    explained,
    explained_key,
    with_default,
)
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
from vae_cli.config.keys import SETTINGS, TrainSettings
from vae_cli.config.path_words import exists
from vae_cli.config.references import freeze, value_of
from vae_cli.config.vocabulary import Vocabulary, as_vae_sample_says, vocabulary_of
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.files import INTERPOLATION

QUOTED = """Put quotes around a path that has a comma: "data.path='a,b.npz',c.npz"."""
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
    full = _checked(config_name, overrides, config_dir)
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


def _checked(
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
    with _hydra(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # OmegaConf's and Hydra's advice: lines beside ours
        try:
            full = composed(config_name, everything)
            cfg = full.copy()
            with open_dict(cfg):
                del cfg["hydra"]
            check_clashes(named_folders(config_dir), full.hydra.runtime.choices)
            check_single(cfg, full.hydra.runtime.choices, default_options(config_name), overrides)
            check(cfg, groups, SETTINGS.get(config_name, TrainSettings))
            with read_write(full.hydra):  # a time is read once
                for part in ("run", "sweep"):
                    node = full.hydra[part]
                    node.dir = str(value_of(full, f"hydra.{part}.dir", node, "dir"))
            freeze(full)
        except ConfigError as error:
            if (needed := needed_by(error, overrides)) is not None:
                raise needed from error
            meant = explained_key(error, config_name, everything, groups, as_typed)
            if meant is not None:
                raise meant from error
            if error.remedy:
                raise
            raise with_default(error, config_name, everything, groups) from error
        except YAMLError as error:
            raise VaeCliError(f"a yaml can't be read: {' '.join(str(error).split())}") from error
        except (NotComposable, OmegaConfBaseException, RecursionError, ValueError) as error:
            raise explained(error, config_name, everything, groups, as_typed) from error
    unmarked = [folder for folder in folders if folder not in named_folders(config_dir)]
    say_what_is_read(folders, unmarked, _options(full, overrides))
    return full


def _options(full: DictConfig, overrides: Sequence[str]) -> dict[str, list[str]]:
    """The options in use of each group."""
    given = [o for o in map(parsed, overrides) if not o.is_delete()]
    lists = {o.key_or_group: list(map(str, v)) for o in given if isinstance(v := o.value(), list)}
    choices = full.hydra.runtime.choices.items()
    return lists | {str(group): [name] for group, name in choices if isinstance(name, str)}


def compose_sweep(
    config_name: str, overrides: Sequence[str], config_dir: str | None
) -> tuple[DictConfig, DictConfig]:
    """Checks every value that a sweep goes through, each beside the first ones of the others.

    Args:
        config_name, overrides, config_dir: As for ``compose``; values may be several.

    Returns:
        The sweep's own settings, and Hydra's.

    Raises:
        VaeCliError: With one line for the user, before any job has run.
    """
    for text in overrides:
        override = parsed(text)
        is_of_all = is_about_sweep(override.key_or_group) or override.key_or_group == "trust"
        if is_of_all and override.is_sweep_override():
            rule = "takes one value: it is about the sweep, not about its runs"
            value = override.get_value_string()
            raise ConfigError(override.key_or_group, value, rule, "Start a sweep for each.")
        if override.key_or_group == "data.path" and override.is_choice_sweep():
            _check_paths(text)
    given = [values[0] for values in map(_values_of, overrides)]
    full = _checked(config_name, given, config_dir, overrides)
    check_not_resumed(full.get("resume"))
    if "params" not in full.get("sweep", {}):
        raise is_required("sweep.params" if "sweep" in full else "sweep")
    params = full.sweep.params or {}
    named = {parsed(text).get_key_element() for text in overrides}
    beside = [f"{key}={value}" for key, value in params.items() if key not in named]
    choices = [*map(_values_of, beside), *map(_values_of, overrides)]
    first = [values[0] for values in choices]
    full = _checked(config_name, first, config_dir)
    for i, values in enumerate(choices):
        for value in values[1:]:
            _checked(config_name, [*first[:i], value, *first[i + 1 :]], config_dir)
    return full.sweep, full.hydra


def check_not_resumed(resumed: object) -> None:
    """Checks that a sweep, or a command that only shows a configuration, resumes no run.

    Args:
        resumed: The value of ``resume``.

    Raises:
        VaeCliError: If it is given.
    """
    if resumed is not None:
        rule = "resumes one run. Leave out the flags; a sweep has sweep.resume=FOLDER"
        raise VaeCliError(f"resume: {rule}.")


def is_about_sweep(key: str) -> bool:
    """Whether a key is about a sweep, and not about its runs."""
    return key.partition(".")[0] in ("sweep", *LAUNCHERS)


def _values_of(text: str) -> list[str]:
    """The overrides that one with several values stands for; of a range its ends.

    Raises:
        ConfigError: If it stands for none.
    """
    override = parsed(text)
    if not override.is_sweep_override() or override.is_hydra_override():
        return [text]
    key = override.get_key_element()
    if isinstance(override.value(), Glob):
        rule, value = "patterns are not taken", text.partition("=")[2]
        raise ConfigError(key, value, rule, f"List the options: {key}=ONE,TWO.")
    if override.is_discrete_sweep():
        values = [f"{key}={value}" for value in override.sweep_string_iterator()]
        if not values:
            raise ConfigError(key, override.get_value_string(), "has no values")
        return values if override.is_choice_sweep() else list({values[0]: 0, values[-1]: 0})
    interval = cast(IntervalSweep, override.value())
    return [f"{key}={interval.start}", f"{key}={interval.end}"]


def _check_paths(text: str) -> None:
    """Checks that each file that a sweep goes through is there, before its first job.

    Raises:
        ConfigError: If one is not.
    """
    for value in map(parsed, _values_of(text)):
        path = value.value()
        if not isinstance(path, str) or INTERPOLATION in path or path[:1] == "~":
            continue
        if not exists(path):
            rule = "is not there, and a comma separates the paths of a sweep"
            raise ConfigError("data.path", path, rule, QUOTED)


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
