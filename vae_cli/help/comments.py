"""The comments of a yaml: what it is, and what each of its keys means."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

TRY = re.compile(r"\s*\bTry: (.+)")
GLOBAL = "# @package _global_"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Key(NamedTuple):
    """A key of a yaml.

    Attributes:
        name: With dots, below the yaml's own root.
        value: As written; empty for a key that holds others.
        meaning: Its comment; empty for none.
    """

    name: str
    value: str
    meaning: str


class Choice(NamedTuple):
    """An item of a yaml's defaults list.

    Attributes:
        group: As written, ``posterior`` or ``override /objective@_global_.objective``; empty
            where the item names another yaml of the same group.
        options: The chosen ones; empty for none.
        meaning: Its comment; empty for none.
    """

    group: str
    options: tuple[str, ...]
    meaning: str


class Comments(NamedTuple):
    """What a yaml says about itself.

    Attributes:
        summary: The first line of its opening comment, without a full stop.
        about: The whole opening comment without the commands, as one line.
        commands: Those that it says to try.
        keys: In its order, without the defaults list.
        choices: Its defaults list.
        is_global: Whether its keys count from the top of the configuration.
    """

    summary: str = ""
    about: str = ""
    commands: tuple[str, ...] = ()
    keys: tuple[Key, ...] = ()
    choices: tuple[Choice, ...] = ()
    is_global: bool = False


@cache
def comments_of(file: Path) -> Comments:
    """The comments of a yaml; none of a file that cannot be read."""
    try:
        text = file.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=LOADER)
    except (OSError, ValueError, RecursionError, yaml.YAMLError):  # whoever uses it explains
        return Comments()
    lines = text.splitlines()
    said, commands = _opening(lines)
    pairs = root.value if isinstance(root, MappingNode) else []
    defaults = [value for key, value in pairs if key.value == "defaults"]
    return Comments(
        said[0].rstrip(".") if said else "",
        " ".join(said),
        tuple(commands),
        tuple(_keys([pair for pair in pairs if pair[1] not in defaults], lines)),
        tuple(_choices(defaults[0], lines)) if defaults else (),
        bool(lines) and lines[0].strip() == GLOBAL,
    )


def _opening(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """The lines of the opening comment, and the commands that it says to try."""
    said, commands = list[str](), list[str]()
    for line in lines:
        if not line.startswith("#"):
            break
        if line.strip() == GLOBAL:
            continue
        commands += TRY.findall(line)
        said.append(TRY.sub("", line.lstrip("# ")).strip())
    return [*filter(None, said)], commands


def _keys(
    pairs: Sequence[tuple[Node, Node]], lines: Sequence[str], above: str = ""
) -> Iterator[Key]:
    for key, value in pairs:
        name = f"{above}{key.value}"
        branch = isinstance(value, MappingNode) and not value.flow_style and value.value
        if branch and value.start_mark.line > key.start_mark.line:  # else an alias, *name
            yield Key(name, "", _comment(lines, key))
            yield from _keys(value.value, lines, f"{name}.")
        else:
            yield Key(name, _written(lines, value), _comment(lines, value) or _comment(lines, key))


def _choices(defaults: Node, lines: Sequence[str]) -> Iterator[Choice]:
    for item in defaults.value if isinstance(defaults, SequenceNode) else ():
        for group, chosen in item.value if isinstance(item, MappingNode) else ():
            several = chosen.value if isinstance(chosen, SequenceNode) else [chosen]
            options = tuple(str(each.value) for each in several if each.value != "null")
            yield Choice(group.value, options, _comment(lines, chosen))
        if isinstance(item, ScalarNode):
            yield Choice("", (item.value,), "")


def _comment(lines: Sequence[str], node: Node) -> str:
    """The comment behind a node, on the line of its end."""
    mark = node.end_mark
    rest = lines[mark.line][mark.column :] if mark.line < len(lines) else ""
    found = re.match(r":?(?:\s+[>|][+-]?)?\s*#\s*(.*)", rest)
    return found[1].strip() if found else ""


def _written(lines: Sequence[str], node: Node) -> str:
    """A value as the yaml has it, on one line."""
    start, end = node.start_mark, node.end_mark
    part = [*lines[start.line : end.line + 1]]
    if not part or (isinstance(node, ScalarNode) and node.style in ("|", ">")):
        return str(node.value)
    part[-1] = part[-1][: end.column] if end.line < len(lines) else part[-1]
    part[0] = part[0][start.column :]
    return " ".join(" ".join(part).split())
