"""From a command line to a configuration, with mistakes told in one line."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from vae_cli.config.check import check, suggest
from vae_cli.config.help import help_text
from vae_cli.errors import ConfigError, VaeCliError, as_written

CONFIG_MODULE = "vae_cli.conf"
UNREADABLE = "can't be read as key=value. Quote what has spaces, commas or brackets."
OWN_FOLDERS = "VAE_CLI_CONF"  # environment variable: the user's own configurations


def search_path(config_dir: str | None) -> list[Path]:
    """Folders of the user's own yamls: ``--config-dir``, ``$VAE_CLI_CONF`` and ``./conf``.

    Raises:
        ConfigError: If ``--config-dir`` is missing, or a yaml has a built-in one's name but says
            something else: the built-in one would win, silently.
    """
    named = [Path(config_dir)] if config_dir else []
    if named and not named[0].is_dir():
        raise ConfigError("--config-dir", config_dir, "there is no such folder")
    named += [Path(p) for p in os.environ.get(OWN_FOLDERS, "").split(os.pathsep) if p]
    folders = [f.resolve() for f in [*named, Path("conf")] if f.is_dir()]
    built_in = _built_in_folder()
    for folder in folders:
        for ours in built_in.rglob("*.yaml"):
            theirs = folder / ours.relative_to(built_in)
            if theirs.is_file() and theirs.read_bytes() != ours.read_bytes():
                name = ours.relative_to(built_in).with_suffix("")
                rule = f"a built-in configuration is called {name} too, and would win"
                raise ConfigError("configuration", theirs, rule, "Give yours another name.")
    return [folder for folder in folders if folder != built_in]


def _built_in_folder() -> Path:
    import vae_cli.conf

    return Path(vae_cli.conf.__path__[0]).resolve()


def help_of(config_name: str) -> str:
    """The help of the command whose primary file has that name."""
    built_in = _built_in_folder()
    defaults: dict[str, list[str]] = {}
    for item in OmegaConf.load(built_in / f"{config_name}.yaml").defaults:
        for group, options in item.items() if isinstance(item, DictConfig) else ():
            defaults[str(group)] = [options] if isinstance(options, str) else list(options or [])
    return help_text([built_in, *search_path(None)], defaults)


def search_path_override(folders: Sequence[Path]) -> list[str]:
    """The override by which Hydra is told of the user's folders."""
    return [f"hydra.searchpath=[{','.join(f'file://{f}' for f in folders)}]"] if folders else []


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
    everything = [*search_path_override(search_path(config_dir)), *overrides]
    with _hydra():
        try:
            full = hydra.compose(config_name, everything, return_hydra_config=True)
            HydraConfig.instance().set_config(full)  # resolves ${hydra:...} in the folder's name
            cfg = full.copy()
            with open_dict(cfg):
                del cfg["hydra"]
            check(cfg, _groups())
            return cfg, str(full.hydra.run.dir)
        except ConfigError as error:
            if error.remedy:
                raise
            raise _with_default(error, config_name, everything) from error
        except (HydraException, OmegaConfBaseException) as error:
            raise _explained(error, config_name, everything) from error


def check_sweep(config_name: str, overrides: Sequence[str], config_dir: str | None) -> None:
    """Checks every value that a sweep goes through, each beside the first ones of the others.

    Raises:
        VaeCliError: With one line for the user, before any job has run.
    """
    parser = OverridesParser.create()
    choices: list[list[str]] = []
    for text in overrides:
        try:
            (override,) = parser.parse_overrides([text])
        except HydraException as error:
            raise VaeCliError(f"{text}: {UNREADABLE}") from error
        key = override.get_key_element()
        if override.is_sweep_override() and not override.is_hydra_override():
            choices.append([f"{key}={value}" for value in override.sweep_string_iterator()])
        else:
            choices.append([text])
    first = [values[0] for values in choices]
    compose(config_name, first, config_dir)
    for i, values in enumerate(choices):
        for value in values[1:]:
            compose(config_name, [*first[:i], value, *first[i + 1 :]], config_dir)


def check_alone(cfg: DictConfig) -> None:
    """Checks a configuration that Hydra itself has composed, as in a sweep."""
    with _hydra():
        check(cfg, _groups())


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


def _groups() -> list[str]:
    groups = GlobalHydra.instance().config_loader().list_groups("")
    return [group for group in groups if group != "hydra"]


def _with_default(error: ConfigError, config_name: str, overrides: Sequence[str]) -> ConfigError:
    """The same error, advising the value that the key has by itself."""
    choices = [text for text in overrides if _is_choice(text)]
    base = hydra.compose(config_name, choices)
    default = OmegaConf.select(base, error.key, throw_on_missing=False)
    if default is None or default == error.value:
        return error
    plain = OmegaConf.to_container(default) if OmegaConf.is_config(default) else default
    remedy = f"Try {error.key}={as_written(plain)}."
    return ConfigError(error.key, error.value, error.rule, remedy)


def _is_choice(text: str) -> bool:
    """Whether an override chooses among a group's options (or is Hydra's own)."""
    (override,) = OverridesParser.create().parse_overrides([text])
    loader = GlobalHydra.instance().config_loader()
    return text.startswith("hydra.") or bool(loader.get_group_options(override.key_or_group))


def _explained(error: Exception, config_name: str, overrides: Sequence[str]) -> VaeCliError:
    """Finds the override that is to blame; Hydra's own words where none is found."""
    values = []
    for text in overrides:
        try:
            (override,) = OverridesParser.create().parse_overrides([text])
        except HydraException:
            return VaeCliError(f"{text}: {UNREADABLE}")
        if not _is_choice(text):
            values.append(override)
        elif (unknown := _unknown_option(override)) is not None:
            return unknown
    base = hydra.compose(config_name, [text for text in overrides if _is_choice(text)])
    for override in values:
        if not override.is_add() and (unknown := _unknown_key(base, override)) is not None:
            return unknown
    first_line = next(filter(None, str(error).splitlines()), type(error).__name__)
    return VaeCliError(first_line)


def _unknown_option(override: Override) -> ConfigError | None:
    group, choice = override.key_or_group, override.value()
    options = GlobalHydra.instance().config_loader().get_group_options(group)
    for name in choice if isinstance(choice, list) else [choice]:
        if isinstance(name, str) and name not in options:
            remedy = suggest(name, options).replace("Did you mean ", f"Did you mean {group}=")
            return ConfigError(group, name, "there is no such option", remedy)
    return None


def _unknown_key(base: DictConfig, override: Override) -> ConfigError | None:
    node: Any = base
    walked: list[str] = []
    for part in override.key_or_group.split("."):
        known = list(node) if isinstance(node, DictConfig) else []
        if part not in known:
            known += _groups() if not walked else []
            remedy = _options_with(walked, part) or suggest(part, known, ".".join(walked))
            return ConfigError(
                override.key_or_group, override.value(), "there is no such key", remedy
            )
        walked.append(part)
        node = OmegaConf.select(base, ".".join(walked), throw_on_missing=False)
    return None


def _options_with(group: Sequence[str], key: str) -> str:
    """Which other options of a group have a key that the one chosen has not."""
    folder = _built_in_folder().joinpath(*group)
    files = sorted(folder.glob("*.yaml")) if group else []
    have = [f"{'/'.join(group)}={f.stem}" for f in files if key in OmegaConf.load(f)]
    return f"It belongs to {' and '.join(have)}." if have else ""
