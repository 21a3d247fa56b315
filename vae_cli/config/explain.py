"""Why a command line could not be composed, in one line."""

import importlib.util
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from vae_cli.config.check import NO_SUCH_KEY
from vae_cli.config.composition import SEARCH_PATH, NotComposable, base_of
from vae_cli.config.deletion import explain_deletion
from vae_cli.config.grammar import parsed
from vae_cli.config.unknown import explain_bare, remedy_of, unknown_key, unknown_option
from vae_cli.config.vocabulary import Groups, vocabulary_of
from vae_cli.errors import ConfigError, VaeCliError, as_written, install, shortened

LAUNCHERS = ("launcher", "hydra/launcher")  # our presets, and what they are presets of
EXTRAS = {  # of this package, by launcher
    "joblib": "joblib", "submitit_local": "submitit", "submitit_slurm": "submitit", "ray": "ray",
}  # fmt: skip
REFUSED = "Error merging override "  # Hydra's words before an override


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
    default = _selected(base_of(config_name, overrides, groups), error.key)
    if default is None or default == error.value:
        return error
    plain = OmegaConf.to_container(default) if OmegaConf.is_config(default) else default
    remedy = f"Try {error.key}={as_written(plain)}."
    return ConfigError(error.key, error.value, error.rule, remedy)


def explained(
    error: Exception,
    config_name: str,
    overrides: Sequence[str],
    groups: Groups,
    typed: Mapping[str, str],
) -> VaeCliError:
    """Finds the override that is to blame; Hydra's own words where none is found.

    Args:
        error: What Hydra raised.
        config_name: Name of the primary file.
        overrides: As on the command line.
        groups: The options of each group.
        typed: What was typed in place of an override, where that is not the same.
    """
    bare = [text for text in overrides if "=" not in text and not text.startswith("~")]
    try:
        own = _own([text for text in overrides if text not in bare])
    except VaeCliError as unreadable:
        return unreadable
    try:
        base = base_of(config_name, overrides, groups)
    except NotComposable:  # there is no such primary file, say
        return _in_hydras_words(error, overrides)
    known = vocabulary_of(config_name, base, groups)
    if bare:
        return explain_bare(config_name, overrides, bare[0], known)
    for override in own:
        if (lacking := _lacking_extra(override)) is not None:
            return lacking
        if override.is_sweep_override():
            rule = "values parted by commas make several runs"
            sweep = "Try it behind vae-train -m, put" if config_name == "train" else "Put"
            remedy = f"{sweep} a list in brackets, or one value in quotes within quotes."
            return VaeCliError(f"{shortened(str(override.input_line))}: {rule}. {remedy}")
        if (wrong := unknown_option(override, known)) is not None:
            return wrong
    for override in own:
        if (deletion := explain_deletion(error, override, base)) is not None:
            return deletion
        key, line = override.key_or_group, shortened(str(override.input_line))
        is_value = key not in groups and not override.is_add()
        if override.is_add() and (key in groups or OmegaConf.select(base, key) is not None):
            rule = "is there already"
            return VaeCliError(f"{shortened(line)}: {rule}. Leave out the +: {line.lstrip('+')}.")
        value = _typed(override, typed)
        if is_value and (unknown := unknown_key(override, value, base, known)) is not None:
            return unknown
    return _in_hydras_words(error, overrides)


def explained_key(
    error: ConfigError,
    config_name: str,
    overrides: Sequence[str],
    groups: Groups,
    typed: Mapping[str, str],
) -> ConfigError | None:
    """The same error with the words that were meant; None where the command line has no part in it.

    It is of a key that was added (``+lr=0.1``), or one that is to choose an option of a group
    (``optimizer.lr_schedule=cosine`` for ``optimizer/lr_schedule=cosine``).

    Args:
        error: What the check of the configuration found.
        config_name, overrides, groups, typed: As for ``explained``.
    """
    given = [o for o in _own(overrides) if not o.is_delete() and o.key_or_group not in groups]
    given = [o for o in given if f".{o.key_or_group}".endswith(f".{error.key}")]
    if not given:
        return None
    key, value = given[-1].key_or_group, _typed(given[-1], typed)
    known = vocabulary_of(config_name, base_of(config_name, overrides, groups), groups)
    remedy = remedy_of(key, value, known)
    is_choice = key.replace(".", "/") in groups
    if not remedy or not (is_choice or error.rule == NO_SUCH_KEY):
        return None
    return ConfigError(key, error.value, error.rule, remedy)


def _typed(override: Override, typed: Mapping[str, str]) -> str:
    """The value of an override as it stands on the command line, which may be several."""
    line = str(override.input_line)
    return typed.get(line, line).partition("=")[2]


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
    return ConfigError(key, name, rule, f"{install(extra)}.")


def _selected(cfg: DictConfig, key: str) -> Any:
    """A node by its dotted key; None where there is none, or where it refers to nothing."""
    try:
        return OmegaConf.select(cfg, key)
    except OmegaConfBaseException:
        return None
