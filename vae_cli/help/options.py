"""The options of a command's groups, each with its keys and what they mean."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vae_cli.config.folders import (
    built_in_folder,
    default_options,
    folder_of,
    groups_of,
    search_path,
)
from vae_cli.config.vocabulary import is_settable
from vae_cli.help.comments import Choice, Comments, Key, comments_of


@dataclass(frozen=True)
class Option:
    """One option of a group.

    Attributes:
        group: ``posterior``.
        name: ``planar``.
        about: What it is, as its yaml says.
        summary: The same in one sentence.
        commands: Those that its yaml says to try.
        keys: What can be set of it, by the full key; those of the options that it extends, too.
        choices: The options of other groups that it brings, unless the user names others.
        is_own: Whether it is the user's.
    """

    group: str
    name: str
    about: str
    summary: str
    commands: tuple[str, ...]
    keys: Mapping[str, Key]
    choices: Mapping[str, str]
    is_own: bool


class Catalogue:
    """The groups of a command, its own keys, and the options that there are.

    Args:
        command: Name of its primary file.
        config_dir: A folder of the user's own yamls.
    """

    def __init__(self, command: str, config_dir: str | None = None) -> None:
        self.command = command
        self._folders = [built_in_folder(), *search_path(config_dir)]
        found = groups_of(command, self._folders[1:])
        self.groups: Mapping[str, Sequence[str]] = dict(sorted(found.items()))
        self.defaults = default_options(command)
        self._primary = comments_of(built_in_folder() / f"{command}.yaml")

    @cached_property
    def keys(self) -> Mapping[str, Key]:
        """The keys that are in no group."""
        own = (key for key in self._primary.keys if key.value and not key.name.startswith("hydra."))
        return {key.name: key for key in own if is_settable(key.name, key.value)}

    def ordered(self, group: str) -> list[str]:
        """The options of a group, those that are the default first."""
        return [*dict.fromkeys([*self.defaults.get(group, ()), *sorted(self.groups[group])])]

    def meaning(self, group: str) -> str:
        """What a group chooses."""
        above, _, nested = group.rpartition("/")
        files = [self._comments(above, name)[0] for name in self.groups.get(above, ())]
        choices = [choice for file in (self._primary, *files) for choice in file.choices]
        return next((c.meaning for c in choices if c.group == (nested or group) and c.meaning), "")

    def option(self, group: str, name: str, within: tuple[str, ...] = ()) -> Option:
        """An option, as its yaml and those that it extends say.

        Args:
            group, name: Of it.
            within: The options that extend this one: a yaml of the user's may extend itself.
        """
        comments, folder = self._comments(group, name)
        prefix = "" if comments.is_global else _prefix(group)
        keys: dict[str, Key] = {}
        choices: dict[str, str] = {}
        for choice in comments.choices:
            for base in self._extended(group, choice, (*within, name)):
                keys |= base.keys
                choices |= base.choices
            for held, option in self._held(choice):
                keys |= {f"{prefix}{held}.{_below(key)}": line for key, line in option.keys.items()}
            if brought := _brought(group, choice.group):
                choices[brought] = ",".join(choice.options)
        keys |= self._own_keys(comments.keys, prefix, keys, choices)
        ends = {key: line for key, line in keys.items() if not _is_above(key, keys)}
        return Option(
            group, name, comments.about, comments.summary, comments.commands, ends, choices,
            folder != built_in_folder(),
        )  # fmt: skip

    def _own_keys(
        self,
        lines: Sequence[Key],
        prefix: str,
        inherited: Mapping[str, Key],
        choices: Mapping[str, str],
    ) -> dict[str, Key]:
        """The keys that a yaml sets; one without a comment means what it means elsewhere."""
        known = {name: key.meaning for name, key in inherited.items()}
        known |= {f"{prefix}{key.name}": key.meaning for key in lines if not key.value}
        keys = {}
        for key in lines:
            full = f"{prefix}{key.name}"
            if key.value and is_settable(full, key.value):
                above = next((m for name, m in known.items() if full.startswith(f"{name}.")), "")
                meaning = key.meaning or known.get(full) or self._meant(full, choices) or above
                keys[full] = key._replace(meaning=meaning)
        return keys

    def _meant(self, key: str, choices: Mapping[str, str]) -> str:
        """What a key of a group's option means, which another yaml sets; empty if unknown."""
        if key in self.keys:
            return self.keys[key].meaning
        groups = [group for group in self.groups if key.startswith(_prefix(group))]
        for group in sorted(groups, key=len, reverse=True):
            names = dict.fromkeys([*choices.get(group, "").split(","), *self.ordered(group)])
            for name in (name for name in names if name in self.groups[group]):
                for line in self._comments(group, name)[0].keys:
                    if line.meaning and f"{_prefix(group)}{line.name}" == key:
                        return line.meaning
        return ""

    def _extended(self, group: str, choice: Choice, within: tuple[str, ...]) -> Iterator[Option]:
        """The options of the same group that an item of a defaults list names."""
        for name in () if choice.group else choice.options:
            if name in self.groups[group] and name not in within:
                yield self.option(group, name, within)

    def _held(self, choice: Choice) -> Iterator[tuple[str, Option]]:
        """The parts that an option has within itself: ``/likelihood@likelihood: gaussian``."""
        other, sign, place = choice.group.partition("@")
        for name in choice.options:
            if sign and other.startswith("/") and name in self.groups.get(other[1:], ()):
                yield place, self.option(other[1:], name)

    def _comments(self, group: str, name: str) -> tuple[Comments, Path]:
        file = Path(folder_of(group), f"{name}.yaml")
        found = [folder for folder in self._folders if (folder / file).is_file()]
        folder = found[0] if found else self._folders[0]
        return comments_of(folder / file), folder


def _prefix(group: str) -> str:
    return f"{group.replace('/', '.')}."


def _is_above(name: str, keys: Iterable[str]) -> bool:
    return any(key.startswith(f"{name}.") for key in keys)


def _below(key: str) -> str:
    return key.partition(".")[2]


def _brought(group: str, named: str) -> str:
    """The group whose option an item of a defaults list brings; empty where it brings none."""
    words = named.removeprefix("override ").partition("@")[0].lstrip("/")
    if named.startswith("override ") and not words.startswith("hydra"):
        return words
    return f"{group}/{words}" if named and "@" not in named and " " not in named else ""
