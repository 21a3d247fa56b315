"""The exact table of what a run of unknown origin may be made of.

The table is read off the package's own yamls: which targets a group has, which options each target
has, and which options hold a part of another group (``prior: ${prior}``). A target or an option
that no shipped yaml names does not exist for such a run.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from vae_cli.config.check import MISSING
from vae_cli.config.folders import NETWORK, SIDES, built_in_folder, default_options
from vae_cli.config.keys import SHARED
from vae_cli.errors import ConfigError, Untrusted
from vae_cli.files import INTERPOLATION, parse_yaml

TRUST = "Add trust=true if you trust whoever made the run."
NOT_IN_A_RUN = ("sweep", "launcher", "experiment")  # groups of vae-train that leave no node
REFERENCE = re.compile(r"\$\{([\w/]+)\}")

Node = Mapping[str, Any]


class Part(NamedTuple):
    """The options that one target may have.

    Attributes:
        options: Its options, each with the groups whose parts it may hold.
        mappings: Those options that hold names with plain values.
        is_partial: Whether the code that uses it gives further arguments.
    """

    options: Mapping[str, frozenset[str]]
    mappings: frozenset[str]
    is_partial: bool


class KnownParts(NamedTuple):
    """The parts of all groups.

    Attributes:
        parts: By group and target.
        names: Of a group of which several options are chosen: the target of each name.
        interpolations: Texts with ``${`` that the package's own yamls hold.
    """

    parts: Mapping[str, Mapping[str, Part]]
    names: Mapping[str, Mapping[str, str]]
    interpolations: frozenset[str]


@cache
def known_parts() -> KnownParts:
    """The table, read off the shipped yamls once."""
    groups = [group for group in default_options("train") if group not in NOT_IN_A_RUN]
    found: dict[str, dict[str, list[Node]]] = defaultdict(lambda: defaultdict(list))
    names: dict[str, dict[str, str]] = defaultdict(dict)
    holds: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    interpolations: set[str] = set()
    folder = built_in_folder()
    for file in sorted(folder.rglob("*.yaml")):
        group = file.parent.relative_to(folder).as_posix()
        content = parse_yaml(file.read_text(encoding="utf-8"), file.name) or {}
        interpolations.update(text for text in texts(content) if INTERPOLATION in text)
        if group.partition("/")[0] not in groups:
            continue
        nested = dict(_nested(content.pop("defaults", ()), group))
        for name, node in _nodes(content):
            found[group][node["_target_"]].append({**node, **dict.fromkeys(nested)})
            if name:
                names[group][name] = node["_target_"]
            for option, value in node.items():
                if isinstance(value, dict) and "_target_" in value:
                    found[f"{group}/{option}"][value["_target_"]].append(value)
                    holds[group][option].add(f"{group}/{option}")
                match = REFERENCE.search(value) if isinstance(value, str) else None
                if match and match[1] in groups:
                    holds[group][option].add(match[1])
        for option, held in nested.items():
            holds[group][option].add(held)
    parts = {
        group: {target: _part(nodes, holds[group]) for target, nodes in targets.items()}
        for group, targets in found.items()
    }
    parts |= {side: parts[NETWORK] for side in SIDES}
    return KnownParts(parts, names, frozenset(interpolations))


def leaves(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested dictionaries by their dotted keys; lists and ``{}`` are values."""
    if not isinstance(node, dict) or not node:
        yield key, node
        return
    for name, child in node.items():
        yield from leaves(child, f"{key}.{name}".lstrip("."))


def texts(node: Any) -> Iterator[str]:
    """All texts among plain data, at any depth; keys are not counted."""
    if isinstance(node, str):
        yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from texts(child)


def has_reference(node: Any) -> bool:
    """Whether plain data holds what OmegaConf would take for a reference or a resolver."""
    return any(INTERPOLATION in text for text in texts(node))


def _nested(defaults: Iterable[Any], group: str) -> Iterator[tuple[str, str]]:
    """Options whose part a defaults list chooses, each with the group that the part is from."""
    for item in defaults:
        if isinstance(item, str) and "@" in item:  # vae@features
            yield item.partition("@")[2], group
        for name in item if isinstance(item, dict) else ():
            chosen, _, option = name.partition("@")
            if option and not name.startswith("override "):  # /likelihood@likelihood: gaussian
                yield option, chosen.lstrip("/")
            elif not name.startswith("override "):  # lr_schedule: constant
                yield name, f"{group}/{name}"


def _nodes(content: Node) -> Iterator[tuple[str, Node]]:
    """The nodes of a yaml with a target; with a name where the group takes several options."""
    if "_target_" in content:
        yield "", content
        return
    for name, node in content.items():
        if isinstance(node, dict) and "_target_" in node:
            yield name, node


def _part(nodes: Iterable[Node], holds: Mapping[str, set[str]]) -> Part:
    options = {name: value for node in nodes for name, value in node.items()}
    is_partial = bool(options.pop("_partial_", False))
    del options["_target_"]
    return Part(
        {name: frozenset(holds.get(name, ())) for name in options},
        frozenset(name for name, value in options.items() if isinstance(value, dict)),
        is_partial,
    )


def check_parts(config: Node, groups: Collection[str] | None = None) -> None:
    """Checks that a configuration without interpolations is made of the package's own parts.

    Args:
        config: Plain data, every reference resolved.
        groups: Those to check; None for all.

    Raises:
        ConfigError: For the first thing that is not in the table.
    """
    known = known_parts()
    for group, node in config.items():
        if groups is not None and group not in groups:
            continue
        if group in known.names:
            for name, child in _mapping(group, node).items():
                if not isinstance(child, dict) or known.names[group].get(name) != child.get(
                    "_target_"
                ):
                    target = child.get("_target_") if isinstance(child, dict) else child
                    raise _refusal(f"{group}.{name}", child, target)
                _check_node(f"{group}.{name}", child, {group})
        elif group in known.parts:
            _check_node(group, node, {group})
        else:
            _check_plain(group, node)


def _mapping(key: str, node: Any) -> Node:
    if node is None:
        return {}
    if not isinstance(node, dict):
        raise ConfigError(key, node, "needs names with values")
    return node


def _check_node(key: str, node: Any, groups: Collection[str]) -> None:
    """Checks a node that becomes an object: its target, its options and what they hold."""
    if not _mapping(key, node):
        return
    target, parts = node.get("_target_"), known_parts().parts
    known = [parts[g] for g in groups if g in parts] if isinstance(target, str) else []
    part = next((targets[target] for targets in known if target in targets), None)
    if part is None:
        raise _refusal(f"{key}._target_", target, target)
    if node.get("_partial_", False) is not part.is_partial:
        rule = f"needs {part.is_partial} for {target}"
        raise ConfigError(f"{key}._partial_", node.get("_partial_", False), rule, TRUST)
    for name in node.keys() - {"_target_", "_partial_"}:
        value = node[name]
        if name not in {*part.options, *SHARED.get(key, ())}:
            raise ConfigError(f"{key}.{name}", value, f"is not an option of {target}", TRUST)
        held = part.options.get(name)
        if held and isinstance(value, dict):
            _check_node(f"{key}.{name}", value, held)
        elif name in part.mappings:
            _check_plain(f"{key}.{name}", value)
        else:
            _check_value(f"{key}.{name}", value)


def _check_plain(key: str, node: Any) -> None:
    """Checks names with plain values, or a plain value."""
    if not isinstance(node, dict):
        _check_value(key, node)
        return
    for name, value in node.items():
        if name == "_target_":
            raise _refusal(f"{key}._target_", value, value)
        _check_value(f"{key}.{name}", value)


def _refusal(key: str, value: Any, target: Any) -> ConfigError:
    """The error about a target; another version of this package may have one of its names."""
    kind = ConfigError if str(target).startswith("vae_cli.") else Untrusted
    return kind(key, value, "is not in this package", TRUST)


def _check_value(key: str, value: Any) -> None:
    """Checks a number, a text, a truth value, null, or a list of them."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, (dict, list)):
            rule = "needs a plain value, or a list of them"
            raise ConfigError(key, value, rule, TRUST)
        if isinstance(item, str) and (INTERPOLATION in item or item == MISSING):
            raise ConfigError(key, value, "is not a plain value", TRUST)
