"""What a run of unknown origin may say: plain values for the options of the package's own parts."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from vae_cli.config.check import MISSING, check_group, check_value, resolved
from vae_cli.config.earlier import upgrade
from vae_cli.config.folders import groups_of, search_path
from vae_cli.config.grammar import key_of, parsed, quoted
from vae_cli.config.keys import DERIVED
from vae_cli.config.parts import TRUST, check_parts, known_parts, leaves, texts
from vae_cli.errors import ConfigError, as_written
from vae_cli.files import INTERPOLATION, parse_yaml
from vae_cli.options import NonNegativeInt, PositiveInt

NOT_SAVED = ("trust", "resume", "data.changed")  # only today's command line gives them
MOST_OVERRIDES = 1000
SAVED = "overrides.yaml"  # the file of a run that holds them


def check_saved(overrides: Sequence[str], config_dir: str | None, trust: bool) -> list[str]:
    """Checks the overrides that a run's folder holds, before Hydra composes anything from them.

    Args:
        overrides: As the folder has them.
        config_dir: A folder of the user's own yamls.
        trust: Whether today's command line trusts whoever made the run: then any form will do.

    Returns:
        Those about the run itself: not Hydra's, not ``trust`` and not ``resume``.

    Raises:
        ConfigError: If one is more than a plain value or an option of a group.
    """
    if len(overrides) > MOST_OVERRIDES:
        raise ConfigError(SAVED, len(overrides), f"has over {MOST_OVERRIDES} overrides")
    groups = groups_of("train", search_path(config_dir))
    kept = []
    for text in overrides:
        override = parsed(text)
        name = override.key_or_group
        if name in NOT_SAVED or name.partition(".")[0].partition("/")[0] == "hydra":
            continue
        if not trust:
            _check_override(text, override, groups)
        kept.append(text)
    return kept


def _check_override(text: str, override: Override, groups: Mapping[str, Sequence[str]]) -> None:
    name = override.key_or_group
    if override.package is not None or override.is_sweep_override():
        rule = "a saved override needs the form key=value with one value"
        raise ConfigError(SAVED, text, rule, TRUST)
    value = None if override.is_delete() else override.value()
    if INTERPOLATION in text or not _is_plain(value):
        raise ConfigError(SAVED, text, "a saved override needs a plain value", TRUST)
    if "/" in name and name not in groups:
        raise ConfigError(SAVED, text, f"there is no group {name}", TRUST)
    for option in _options(value) if name in groups else ():
        if option is not None and option not in groups[name]:
            raise ConfigError(SAVED, text, f"{name} has no option {option}", TRUST)


def _options(value: Any) -> Sequence[Any]:
    """The options that a group's value chooses; a dictionary is checked once it is composed."""
    return value if isinstance(value, list) else () if isinstance(value, dict) else [value]


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(key) and _is_plain(child) for key, child in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if value is not None and not isinstance(value, (str, int, float)):
        text = getattr(value, "text", None)  # a quoted text within a list or a dictionary
        return isinstance(text, str) and INTERPOLATION not in text
    return not (isinstance(value, str) and INTERPOLATION in value)


def concrete(overrides: Sequence[str], config: DictConfig) -> list[str]:
    """Overrides fit to be saved: references in them are replaced by the values that they had."""
    return [_concrete(text, config) if INTERPOLATION in text else text for text in overrides]


def _concrete(text: str, config: DictConfig) -> str:
    value = OmegaConf.select(config, key_of(text))
    if value is None:  # a duration in epochs, which has become one in steps
        return text
    plain = OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
    return f"{text.partition('=')[0]}={_in_grammar(plain)}"


def _in_grammar(value: Any) -> str:
    """A plain value as Hydra's grammar writes it, whatever signs its texts have."""
    if isinstance(value, dict):
        return f"{{{','.join(f'{name}:{_in_grammar(child)}' for name, child in value.items())}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_in_grammar, value))}]"
    if isinstance(value, str):
        return quoted(value)
    return as_written(value)


def check_resolvers(cfg: DictConfig) -> None:
    """Checks that a configuration composed for a run has no resolver but those of shipped yamls.

    Raises:
        ConfigError: If one of the user's own yamls brings a resolver in.
    """

    for key, value in leaves(OmegaConf.to_container(cfg)):
        for text in texts(value):
            has_resolver = INTERPOLATION in text and ":" in text
            if has_resolver and text not in known_parts().interpolations:
                raise ConfigError(key, value, "a run that is resumed has no resolvers", TRUST)


def check_resumed(cfg: DictConfig) -> None:
    """Checks that a run that is resumed is made of the package's own parts."""
    check_parts({key: node for key, node in resolved(cfg).items() if key != "derived"})


def open_config(text: str, source: str, groups: Collection[str], trust: bool) -> DictConfig:
    """The configuration that a run's folder or checkpoint holds, fit to build some groups from.

    Args:
        text: The yaml, every value concrete.
        source: Name of the file, for messages.
        groups: That objects are to be built from.
        trust: Whether today's command line trusts whoever made the run. Only then may the yaml
            hold references, resolvers and targets that are not in this package.

    Raises:
        VaeCliError: If it is not a configuration, or is made of anything but the package's parts.
    """
    if trust:
        loaded = OmegaConf.create(text)
        plain: Any = OmegaConf.to_container(loaded) if isinstance(loaded, DictConfig) else text
    else:
        plain = parse_yaml(text, source)
    if not isinstance(plain, dict):
        raise ConfigError("config", as_written(plain), f"{source} holds no keys")
    upgrade(plain)
    if trust:
        return OmegaConf.create(plain)
    for key, value in leaves(plain):
        if any(INTERPOLATION in text or text == MISSING for text in texts(value)):
            raise ConfigError(key, value, "a finished configuration has no references", TRUST)
    for group in groups:
        if not isinstance(plain.get(group), dict):
            raise ConfigError(group, plain.get(group), f"{source} needs this group")
    check_parts(plain, groups)
    for group in groups:
        check_group(group, plain[group])
    check_value("seed", plain.get("seed"), NonNegativeInt)
    check_value("latent_dim", plain.get("latent_dim"), PositiveInt)
    _check_derived(plain.get("derived"))
    return OmegaConf.create(plain)


def _check_derived(derived: Any) -> None:
    if not isinstance(derived, dict):
        raise ConfigError("derived", derived, "needs the sizes of the data")
    for name, annotation in DERIVED.items():
        check_value(f"derived.{name}", derived.get(name), annotation)


def check_paths(cfg: DictConfig) -> None:
    """Checks that a run's curves stay within its folder."""
    for name, value in (cfg.get("logger") or {}).items():
        path = PurePath(value) if isinstance(value, str) else PurePath()
        if path.is_absolute() or ".." in path.parts:
            rule = "leads out of the run's folder"
            raise ConfigError(f"logger.{name}", value, rule, "Leave it out.")
