"""The mistake of an override that deletes a required key, ``~KEY``."""

import re
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from vae_cli.errors import ConfigError, VaeCliError, as_written, shortened

HYDRA = "hydra"
NO_MATCH = "No match in the defaults list"  # in Hydra's words: of a group no option is chosen


def explain_deletion(error: Exception, override: Override, base: DictConfig) -> VaeCliError | None:
    """The mistake of a deletion that Hydra refuses; None if it accepts this one.

    Args:
        error: What Hydra raised.
        override: One of the command line.
        base: The configuration without the values of the command line, and without Hydra's part.
    """
    if not override.is_delete() or not _is_about(str(error), override):
        return None
    key, wanted = override.key_or_group, override.value()
    text = shortened(str(override.input_line))
    found = _at(base, key.replace("/", "."))
    if wanted is not None and found is not None and wanted != found:
        return VaeCliError(f"{text}: {key} is {as_written(found)}. Try ~{key}.")
    if key.partition(".")[0] == HYDRA or found is not None:
        return VaeCliError(f"{text}: {key} is required. Leave {text} out.")
    if _is_there(base, key):
        return VaeCliError(f"{text}: {key} is null already. Leave {text} out.")
    if NO_MATCH in str(error):
        return VaeCliError(f"{text}: {key} is required. Leave {text} out.")
    return None


def needed_by(error: ConfigError, overrides: Sequence[str]) -> VaeCliError | None:
    """The mistake of a value that refers to a deleted key; None if it does not."""
    for text in overrides:
        if not text.startswith("~"):
            continue
        (override,) = OverridesParser.create().parse_overrides([text])
        key = override.key_or_group
        if key.endswith("._target_") and error.key.startswith(key.removesuffix("_target_")):
            return VaeCliError(f"{text}: {key} is required. Leave {text} out.")
        if re.search(rf"(\$\{{|no key ){re.escape(key)}\b", f"{error.value} {error.rule}"):
            remedy = f"{shortened(error.key)} refers to it. Leave {shortened(text)} out."
            return VaeCliError(f"{shortened(text)}: {shortened(key)} is required. {remedy}")
    return None


def _is_about(words: str, override: Override) -> bool:
    key = override.key_or_group
    is_refused = f"'{key}'" in words or key == HYDRA
    return (
        str(override.input_line) in words
        or ("Could not delete" in words and is_refused)
        or f"Could not override '{key}." in words
    )


def _at(cfg: DictConfig, key: str) -> object:
    """A value by its dotted key, as plain Python; None if it is missing."""
    try:
        node = OmegaConf.select(cfg, key)
    except OmegaConfBaseException:
        return None
    return OmegaConf.to_container(node) if OmegaConf.is_config(node) else node


def _is_there(cfg: DictConfig, key: str) -> bool:
    *parents, name = key.replace("/", ".").split(".")
    try:
        parent = OmegaConf.select(cfg, ".".join(parents)) if parents else cfg
    except OmegaConfBaseException:
        return False
    return isinstance(parent, DictConfig) and name in parent.keys()  # noqa: SIM118  a null counts
