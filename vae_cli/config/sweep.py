"""The command line of a sweep: each of its values is checked before the first job."""

from collections.abc import Callable, Sequence
from typing import cast

from hydra.core.override_parser.types import Glob, IntervalSweep
from omegaconf import DictConfig

from vae_cli.config.check import is_required
from vae_cli.config.compose import checked_config
from vae_cli.config.explain import LAUNCHERS
from vae_cli.config.grammar import parsed
from vae_cli.config.path_words import exists
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.files import INTERPOLATION

QUOTED = """Put quotes around a path that has a comma: "data.path='a,b.npz',c.npz"."""


def compose_sweep(
    config_name: str,
    overrides: Sequence[str],
    config_dir: str | None,
    expect: Callable[[DictConfig], None] = lambda first: None,
) -> tuple[DictConfig, DictConfig]:
    """Checks every value that a sweep goes through, each beside the first ones of the others.

    Args:
        config_name, overrides, config_dir: As for ``compose``; values may be several.
        expect: Called with the first job's configuration, before those of the others are checked.

    Returns:
        The sweep's own settings, and Hydra's.

    Raises:
        VaeCliError: With one line for the user, before any job has run.
    """
    for text in overrides:
        override = parsed(text)
        is_of_all = is_about_sweep(override.key_or_group) or override.key_or_group == "trust"
        if is_of_all and override.is_sweep_override():
            rule = "takes one value: it is a setting of the sweep, not of its runs"
            value = override.get_value_string()
            raise ConfigError(override.key_or_group, value, rule, "Start a sweep for each.")
        if override.key_or_group == "data.path" and override.is_choice_sweep():
            _check_paths(text)
    given = [values[0] for values in map(_values_of, overrides)]
    full = checked_config(config_name, given, config_dir, overrides)
    check_not_resumed(full.get("resume"))
    if "params" not in full.get("sweep", {}):
        raise is_required("sweep.params" if "sweep" in full else "sweep")
    params = full.sweep.params or {}
    named = {parsed(text).get_key_element() for text in overrides}
    beside = [f"{key}={value}" for key, value in params.items() if key not in named]
    choices = [*map(_values_of, beside), *map(_values_of, overrides)]
    first = [values[0] for values in choices]
    if first != given:
        full = checked_config(config_name, first, config_dir)
    expect(full)
    for i, values in enumerate(choices):
        for value in values[1:]:
            checked_config(config_name, [*first[:i], value, *first[i + 1 :]], config_dir)
    return full.sweep, full.hydra


def check_not_resumed(resumed: object) -> None:
    """Checks that a sweep, or a command that only shows a configuration, resumes no run."""
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
        rule, value = "patterns are not supported", text.partition("=")[2]
        raise ConfigError(key, value, rule, f"List the options: {key}=ONE,TWO.")
    if override.is_discrete_sweep():
        values = [f"{key}={value}" for value in override.sweep_string_iterator()]
        if not values:
            raise ConfigError(key, override.get_value_string(), "has no values")
        return values if override.is_choice_sweep() else list({values[0]: 0, values[-1]: 0})
    interval = cast(IntervalSweep, override.value())
    return [f"{key}={interval.start}", f"{key}={interval.end}"]


def _check_paths(text: str) -> None:
    """Checks that each file that a sweep goes through is there, before its first job."""
    for value in map(parsed, _values_of(text)):
        path = value.value()
        if not isinstance(path, str) or INTERPOLATION in path or path[:1] == "~":
            continue
        if not exists(path):
            rule = "does not exist; a comma separates the paths of a sweep"
            raise ConfigError("data.path", path, rule, QUOTED)
