"""Values that refer to something else, ``${...}``: whether they can, and to what."""

import difflib
import re
import warnings
from collections.abc import Iterator
from typing import Any, cast

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from omegaconf.nodes import Node

from vae_cli.errors import ConfigError

UNAVAILABLE = ("oc.create", "oc.deprecated")  # they make values that are not plain, or warn
OF_THE_MOMENT = ("${hydra:", "${now:")  # what they refer to is another thing later, or nothing
# What is built, or read, before anything is found out from the data.
EARLY = ("data", "accelerator", "trainer", "likelihood", "logger", "m1", "first")
LATENT_DIM = "latent_dim"  # the only key at the top that may follow from the data
REMEDY = "Write the value itself, or refer to another key."
KEY_IN_ERROR = re.compile(r"key '([^']*)'")
VARIABLE_IN_ERROR = re.compile(r"Environment variable '([^']*)'")
REASONS = (  # words of OmegaConf's, and ours
    ("Recursive interpolation", "refers to itself"),
    ("RecursionError", "refers to itself"),
    ("parent node", "refers to a group that it is part of"),
    ("Unsupported interpolation type", "refers to something unknown"),
    ("positional argument", "lacks a valid argument after the colon"),
)


def check_references(cfg: DictConfig) -> None:
    """Checks that everything that a configuration refers to is there.

    Args:
        cfg: Its ``derived``, if it has one, is not found out yet.

    Raises:
        ConfigError: For the first value that refers to what is not there, or to what is found out
            too late for it.
    """
    for key, parent, name in sorted(_references(cfg), key=_depth):
        if is_early(key):
            value_of(cfg, key, parent, name)


def fill_in(cfg: DictConfig) -> dict[str, Any]:
    """The plain content of a configuration, with what its values refer to in their place.

    Raises:
        ConfigError: For the first value that refers to what is not there.
    """
    for key, parent, name in sorted(_references(cfg), key=_depth):  # what others refer to, first
        value_of(cfg, key, parent, name)
    return cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True))


def freeze(cfg: DictConfig) -> None:
    """Puts values in place of references to Hydra's own configuration and to the time."""
    for key, parent, name in [*_references(cfg)]:
        raw = str(_written(parent, name))
        if not key.startswith("hydra.") and any(start in raw for start in OF_THE_MOMENT):
            parent[name] = value_of(cfg, key, parent, name)


def is_early(key: str) -> bool:
    """Whether a value is needed before anything is found out from the data."""
    parts = key.split(".")
    is_at_top = len(parts) == 1 and key != LATENT_DIM
    return is_at_top or not {*EARLY}.isdisjoint(parts) or parts[-1].endswith("_epochs")


def value_of(cfg: DictConfig, key: str, parent: DictConfig | ListConfig, name: Any) -> Any:
    """What a value is, or refers to.

    Raises:
        ConfigError: If it refers to what is not there.
    """
    raw = _written(parent, name)
    for resolver in UNAVAILABLE:
        if f"${{{resolver}:" in str(raw):
            raise ConfigError(key, raw, f"{resolver} is not available", REMEDY)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # OmegaConf's advice: lines beside ours
            return parent[name]
    except (OmegaConfBaseException, RecursionError, UserWarning, ValueError) as error:
        raise ConfigError(key, raw, *_reason(cfg, f"{type(error).__name__}: {error}")) from error


def _depth(reference: tuple[str, DictConfig | ListConfig, Any]) -> int:
    return reference[0].count(".")


def _written(parent: DictConfig | ListConfig, name: Any) -> Any:
    """A value as it was written, with its ``${...}``."""
    node = parent._get_node(name)
    return node._value() if isinstance(node, Node) else node


def _reason(cfg: DictConfig, words: str) -> tuple[str, str]:
    """The rule that a reference breaks, and a remedy."""
    words = words.partition("\n")[0]
    if found := VARIABLE_IN_ERROR.search(words):
        name = found.group(1)
        remedy = f"Set it, or try ${{oc.env:{name},DEFAULT}}."
        return f"the environment variable {name} is not set", remedy
    for theirs, ours in REASONS:
        if theirs in words:
            return ours, REMEDY
    if "Missing mandatory value" in words or "InterpolationToMissing" in words:
        return "refers to a value that is not known yet", REMEDY
    if found := KEY_IN_ERROR.search(words):
        name = found.group(1).lstrip(".")
        near = difflib.get_close_matches(name, _keys(cfg), n=1, cutoff=0.7)
        return f"there is no key {name}", f"Did you mean ${{{near[0]}}}?" if near else REMEDY
    return "can't be filled in", REMEDY


def _references(
    node: DictConfig | ListConfig, prefix: str = ""
) -> Iterator[tuple[str, DictConfig | ListConfig, Any]]:
    """The key, the parent and the name there of every value that refers to something."""
    names: Any = list(node.keys()) if isinstance(node, DictConfig) else range(len(node))
    for name in names:
        key = f"{prefix}.{name!s}".lstrip(".") if isinstance(node, DictConfig) else prefix
        child = node._get_node(name)
        if isinstance(child, Node) and child._is_interpolation():
            yield key, node, name
        elif isinstance(child, (DictConfig, ListConfig)) and not (
            child._is_none() or child._is_missing()
        ):
            yield from _references(child, key)


def _keys(node: DictConfig, prefix: str = "") -> list[str]:
    found: list[str] = []
    for name in map(str, [] if node._is_none() or node._is_missing() else node):
        found.append(f"{prefix}{name}")
        child = node._get_node(name)
        if isinstance(child, DictConfig) and not child._is_interpolation():
            found += _keys(child, f"{prefix}{name}.")
    return found
