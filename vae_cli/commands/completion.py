"""What can complete the last word of a command line. Neither Hydra nor torch composes anything."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, get_args, get_origin

from vae_cli.config.keys import SETTINGS, SHARED
from vae_cli.config.signature import signature_of
from vae_cli.config.vocabulary import FIGURE, WHAT
from vae_cli.errors import VaeCliError
from vae_cli.help.options import Catalogue, Option
from vae_cli.help.pages import CONFIG_DIR, PAGES, SHARED_FLAGS
from vae_cli.help.shells import SHELLS

WORDS = "words"  # in place of a shell: the words of a command line follow
RUNS = ("run", "resume", "model.m1", "sweep.resume")  # keys that name runs
NAMES_OF_RUNS = {"run": ("last", "best:"), "resume": ("last", "auto")}
SIGNS = ("++", "+", "~")  # that Hydra takes before a key
OUTPUTS = "outputs"

Candidates = Iterator[tuple[str, str]]  # a word and its meaning


def completion(command: str, arguments: Sequence[str]) -> str:
    """The script for a shell; after ``words`` what can complete the last of the others, as lines.

    Args:
        command: Without ``vae-``.
        arguments: What follows ``--completion``.

    Raises:
        VaeCliError: If that is no shell.
    """
    if arguments[:1] == [WORDS]:
        rows = candidates(command, arguments[1:] or [""])
        return "".join(f"{word}\t{meaning}".rstrip("\t") + "\n" for word, meaning in rows)
    if len(arguments) != 1 or arguments[0] not in SHELLS:
        rule = f"takes one of {', '.join(SHELLS)}"
        raise VaeCliError(f"--completion: {rule}. Try vae-{command} --completion bash.")
    programs = " ".join(f"vae-{name}" for name in PAGES)
    return SHELLS[arguments[0]].replace("PROGRAMS", programs)


def candidates(command: str, words: Sequence[str]) -> Candidates:
    """Words that begin as the last one does, each with its meaning."""
    *given, word = words
    if word.startswith("-"):
        rows: Candidates = iter(_flags(command))
    elif given and given[-1] in ("--config-dir", "-cd"):
        return
    else:
        sign = next((sign for sign in SIGNS if word.startswith(sign)), "")
        key, equals, value = word.removeprefix(sign).partition("=")
        line = _Line(command, given)
        found = line.values(key, value) if equals else line.names(key)
        rows = ((f"{sign}{text}", meaning) for text, meaning in found)
    for text, meaning in dict(rows).items():
        if text.startswith(word):
            yield text, meaning


def _flags(command: str) -> list[tuple[str, str]]:
    flags = [*PAGES[command].flags, CONFIG_DIR, *SHARED_FLAGS]
    return [(name.split(", ")[-1].split(" ")[0], meaning) for name, meaning in flags]


class _Line:
    """A command line as far as it is typed.

    Args:
        command: Without ``vae-``.
        given: Its words before the last one.
    """

    def __init__(self, command: str, given: Sequence[str]) -> None:
        flags = dict(pairwise(given))
        self.command = command
        self.known = Catalogue(command, flags.get("--config-dir") or flags.get("-cd"))
        pairs = [word.lstrip("+~").partition("=") for word in given if "=" in word]
        chosen = {FIGURE if key == WHAT else key: _listed(value) for key, _, value in pairs}
        self.options = [*self._options(chosen)]
        in_groups = {key: line for option in self.options for key, line in option.keys.items()}
        self.keys = {**self.known.keys, **in_groups}

    def _options(self, given: Mapping[str, Sequence[str]]) -> Iterator[Option]:
        """The options in use: the user's, those that they bring, and the defaults."""
        chosen = {**self.known.defaults, **{g: given[g] for g in self.known.groups if g in given}}
        for group in ("experiment", "data", "model"):
            for name in chosen.get(group, ()):
                if name in self.known.groups.get(group, ()):
                    brought = self.known.option(group, name).choices
                    chosen |= {g: _listed(names) for g, names in brought.items() if g not in given}
        for group, names in chosen.items():
            for name in names:
                if name in self.known.groups.get(group, ()):
                    yield self.known.option(group, name)

    def names(self, word: str) -> Candidates:
        """Groups and keys; of keys in a group that is not typed yet, only the group."""
        for group in self.known.groups:
            name = WHAT if self.command == "sample" and group == FIGURE else group
            yield f"{name}=", self.known.meaning(group)
        for key, line in self.keys.items():
            head, dot, _ = key.partition(".")
            if not dot or "." in word:
                yield f"{key}=", line.meaning
            else:
                yield f"{head}.", "keys of this group"
        for short in PAGES[self.command].short:
            yield f"{short}=", f"short for {PAGES[self.command].short[short]}"

    def values(self, key: str, value: str) -> Candidates:
        """What can stand for a value, behind what is typed of it."""
        group = FIGURE if key == WHAT and FIGURE in self.known.groups else key
        if group in self.known.groups:
            typed = value[: max(value.rfind(","), value.rfind("[")) + 1]
            for name in self.known.ordered(group):
                yield f"{key}={typed}{name}", self.known.option(group, name).summary
        elif key in RUNS and key in self.keys:
            from vae_cli.commands.runs import runs_below

            for name in NAMES_OF_RUNS.get(key, ()):
                yield f"{key}={name}", ""
            for path in runs_below(OUTPUTS):
                yield f"{key}={path}", ""
        else:
            for choice in _choices(self._annotation(key)):
                yield f"{key}={choice}", ""

    def _annotation(self, key: str) -> Any:
        """The type of a key's value; None if it is unknown."""
        short = PAGES[self.command].short.get(key, key)
        part, _, name = short.rpartition(".")
        target = next((o.targets[part] for o in self.options if part in o.targets), "")
        signature = signature_of(target) if target else None
        places = [SETTINGS[self.command], SHARED.get(part, {})]
        places += [signature.annotations] if signature else []
        return next((place[name] for place in reversed(places) if name in place), None)


def _listed(value: str) -> list[str]:
    return [name for name in value.strip("[]").split(",") if name and name != "null"]


def _choices(annotation: Any) -> Iterator[str]:
    """The words that a type allows; none of a number."""
    if annotation is bool:
        yield from ("true", "false")
    elif get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
    elif annotation is type(None):
        yield "null"
    else:
        for part in get_args(annotation):
            yield from _choices(part)
