"""Why a command line could not be composed, in one line."""

import importlib.util
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from vae_cli.config.check import suggest
from vae_cli.config.deletion import explain_deletion
from vae_cli.config.folders import built_in_folder
from vae_cli.config.grammar import parsed
from vae_cli.config.local_folder import remedy_for
from vae_cli.errors import ConfigError, VaeCliError, as_written, shortened

OPTIONAL = {"experiment": (None,), "launcher": (None,)}  # groups of which nothing need be chosen
LAUNCHERS = ("launcher", "hydra/launcher")  # our presets, and what they are presets of
EXTRAS = {  # of this package, by launcher
    "joblib": "joblib", "submitit_local": "submitit", "submitit_slurm": "submitit", "ray": "ray",
}  # fmt: skip
REFUSED = "Error merging override "  # Hydra's words before an override
SEARCH_PATH = "hydra.searchpath"  # given by the command, not by the user
Groups = Mapping[str, Sequence[str]]  # the options of each group


class NotComposable(Exception):  # noqa: N818  what Hydra says, to be explained
    """Hydra's reason for not composing a configuration, in its words."""


def composed(config_name: str, overrides: Sequence[str]) -> DictConfig:
    """What ``hydra.compose`` gives, Hydra's own part of it included.

    Raises:
        NotComposable: In place of Hydra's own exceptions, and of the TypeErrors and others of what
            it did not foresee: a whole number where it looks for a name, say.
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
    """What an exception says, or the one that it comes from; some of Hydra's say nothing."""
    while not str(error) and error.__cause__ is not None:
        error = error.__cause__
    return str(error) or type(error).__name__


def check_single(
    cfg: DictConfig, choices: Mapping[str, str], known: Iterable[str], overrides: Sequence[str]
) -> None:
    """Checks that a list of options was only given to groups that take several.

    Hydra would merge them into one thing that is neither.

    Args:
        cfg: As composed.
        choices: The option in use of each group, where it is one.
        known: Groups of which options are chosen in any case.
        overrides: As on the command line.

    Raises:
        ConfigError: If a group that makes up one thing was given a list.
    """
    given = [o for o in map(parsed, overrides) if not o.is_delete()]
    lists = {o.key_or_group: v for o in given if isinstance(v := o.value(), list)}
    for group in {*known, *lists} - {*choices}:
        node = _selected(cfg, group.replace("/", "."))
        if isinstance(node, DictConfig) and "_target_" in node:
            chosen = lists.get(group, [])
            remedy = f"Try {group}={chosen[0]}." if chosen else f"Choose one: {group}=OPTION."
            raise ConfigError(group, chosen or "[...]", "takes one option, not a list", remedy)


def with_default(
    error: ConfigError, config_name: str, overrides: Sequence[str], groups: Groups
) -> ConfigError:
    """The same error, advising the value that the key has by itself."""
    try:
        base = _with_choices_only(config_name, overrides, groups)
    except (NotComposable, YAMLError):
        return error
    default = _selected(base, error.key)
    if default is None or default == error.value:
        return error
    plain = OmegaConf.to_container(default) if OmegaConf.is_config(default) else default
    remedy = f"Try {error.key}={as_written(plain)}."
    return ConfigError(error.key, error.value, error.rule, remedy)


def explained(
    error: Exception, config_name: str, overrides: Sequence[str], groups: Groups
) -> VaeCliError:
    """Finds the override that is to blame; Hydra's own words where none is found.

    Args:
        error: What Hydra raised.
        config_name: Name of the primary file.
        overrides: As on the command line.
        groups: The options of each group.
    """
    bare = [text for text in overrides if "=" not in text and not text.startswith("~")]
    if bare:
        near = [f"{group}={bare[0]}" for group, options in groups.items() if bare[0] in options]
        remedy = f"Did you mean {near[0]}?" if near else "Try --help."
        return VaeCliError(f"{shortened(bare[0])}: is not of the form key=value. {remedy}")
    try:
        own = _own(overrides)
    except VaeCliError as unreadable:
        return unreadable
    for override in own:
        if (lacking := _lacking_extra(override)) is not None:
            return lacking
        if override.is_sweep_override():
            rule = "values parted by commas make several runs"
            sweep = "Try it behind vae-train -m, put" if config_name == "train" else "Put"
            remedy = f"{sweep} a list in brackets, or one value in quotes within quotes."
            return VaeCliError(f"{shortened(str(override.input_line))}: {rule}. {remedy}")
        if (wrong := _unknown_option(override, groups)) is not None:
            return wrong
    try:
        base = _with_choices_only(config_name, overrides, groups)
    except (NotComposable, YAMLError):
        return _in_hydras_words(error, overrides)
    for override in own:
        if (deletion := explain_deletion(error, override, base)) is not None:
            return deletion
        is_value = override.key_or_group not in groups and not override.is_add()
        if is_value and (unknown := _unknown_key(base, override, groups)) is not None:
            return unknown
    return _in_hydras_words(error, overrides)


def _in_hydras_words(error: Exception, overrides: Sequence[str]) -> VaeCliError:
    """The first line of Hydra's message, behind the override that it is about if it says so."""
    text = str(error)
    first_line = next(filter(None, text.splitlines()), type(error).__name__).rstrip(".")
    if (refused := first_line.removeprefix(REFUSED)) != first_line:
        rule = "is not a value that this key takes. Try another, or leave it out"
        return VaeCliError(f"{shortened(refused)}: {rule}.")
    named = [
        override
        for override in map(parsed, overrides)
        if override.key_or_group != SEARCH_PATH
        and re.search(rf"\b{re.escape(override.key_or_group)}\b", text)
    ]
    if not named:
        return VaeCliError(f"{first_line}.")
    most_exact = max(named, key=lambda override: len(override.key_or_group))
    return VaeCliError(f"{shortened(str(most_exact.input_line))}: {first_line}.")


def _own(overrides: Sequence[str]) -> list[Override]:
    """The overrides without values of Hydra's own configuration."""
    everything = map(parsed, overrides)
    return [o for o in everything if o.is_delete() or not o.key_or_group.startswith("hydra.")]


def _with_choices_only(config_name: str, overrides: Sequence[str], groups: Groups) -> DictConfig:
    """The configuration with the groups' options as chosen, and every value as it is by itself."""
    kept = (*groups, SEARCH_PATH)
    read = [(text, parsed(text)) for text in overrides]
    choices = [text for text, o in read if o.key_or_group in kept and not o.is_delete()]
    base = composed(config_name, choices)
    with open_dict(base):
        del base["hydra"]
    return base


def _lacking_extra(override: Override) -> ConfigError | None:
    """What is said of a launcher whose plug-in is not installed."""
    key, name = override.key_or_group, override.value()
    extra = EXTRAS.get(name) if isinstance(name, str) and key in LAUNCHERS else None
    if extra is None:
        return None
    with suppress(ModuleNotFoundError):  # no plug-in at all
        if importlib.util.find_spec(f"hydra_plugins.hydra_{extra}_launcher"):
            return None
    rule = f"needs packages of the extra {extra}"
    return ConfigError(key, name, rule, f"Try pip install 'vae-cli[{extra}]'.")


def _unknown_option(override: Override, groups: Groups) -> ConfigError | None:
    group, choice = override.key_or_group, override.value()
    options = () if override.is_delete() else groups.get(group, ())
    for name in choice if isinstance(choice, list) else [choice]:
        if options and name not in (*options, *OPTIONAL.get(group, ())):
            near = suggest(str(name), options).replace("Did you mean ", f"Did you mean {group}=")
            remedy = remedy_for(group, str(name)) or near
            return ConfigError(group, name, "there is no such option", remedy)
    return None


def _unknown_key(base: DictConfig, override: Override, groups: Groups) -> VaeCliError | None:
    node: Any = base
    walked: list[str] = []
    for part in override.key_or_group.split("."):
        known = [str(name) for name in node] if isinstance(node, DictConfig) else []
        if part not in known and not walked and part in groups:
            rule = f"there is no {part} here"  # the model has none, say
            return ConfigError(override.key_or_group, override.value(), rule, "Leave it out.")
        if part not in known:
            known += [] if walked else [group for group in groups if group not in known]
            remedy = _options_with(walked, part) or suggest(part, known, ".".join(walked))
            key, value = override.key_or_group, override.value()
            if override.is_delete():
                return VaeCliError(f"~{shortened(key)}: there is no such key. {remedy}")
            return ConfigError(key, value, "there is no such key", remedy)
        walked.append(part)
        node = _selected(base, ".".join(walked))
    return None


def _selected(cfg: DictConfig, key: str) -> Any:
    """A node by its dotted key; None where there is none, or where it refers to nothing."""
    try:
        return OmegaConf.select(cfg, key)
    except OmegaConfBaseException:
        return None


def _options_with(group: Sequence[str], key: str) -> str:
    """Which other options of a group have a key that the one chosen has not."""
    folder = built_in_folder().joinpath(*group)
    files = sorted(folder.glob("*.yaml")) if group else []
    have = [f"{'/'.join(group)}={f.stem}" for f in files if key in OmegaConf.load(f)]
    return f"It belongs to {' and '.join(have)}." if have else ""
