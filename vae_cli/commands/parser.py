"""The grammar of a command line: flags, and overrides for Hydra."""

import argparse
import re
import shlex
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from vae_cli.errors import VaeCliError, shortened

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

    from vae_cli.config.request import Request


class Parser(argparse.ArgumentParser):
    """Reads flags and overrides in any order, and answers an unknown one in one line.

    Args:
        config_name: Name of the command's primary file.
        takes_places: Whether a word that is no override names runs.
        has_runs: Whether the command works on runs, which ``run`` names.
    """

    def __init__(
        self, config_name: str, takes_places: bool = False, has_runs: bool = False
    ) -> None:
        super().__init__(add_help=False, allow_abbrev=False)
        self.config_name, self.takes_places, self.has_runs = config_name, takes_places, has_runs
        self.add_argument("--help", "-h", action="store_true")
        self.add_argument("--config-dir", "-cd")
        self.add_argument("words", nargs="*")

    def read(self, arguments: Sequence[str]) -> "Request":
        """Reads a command line; of one that asks for help, the flags alone.

        Raises:
            VaeCliError: If it has an unknown flag, or an override that cannot be read.
        """
        # Hydra takes its time to import.
        from vae_cli.config.path_words import as_override, exists
        from vae_cli.config.request import Request

        own, unknown = self.parse_known_intermixed_args(arguments)
        bare = [text for text in own.words if "=" not in text and not text.startswith("~")]
        if unknown or (bare and not (self.takes_places or own.help)):
            self._refuse(arguments, own, unknown, bare)
        request = Request(
            getattr(own, "config_name", self.config_name),
            config_dir=own.config_dir,
            arguments=tuple(arguments),
            flags=vars(own),
            hydra_flags=tuple(text for text in arguments if text not in own.words),
        )
        if own.help:
            return request
        if self.has_runs:  # a run's folder may be called a=b
            keyed = [text for text in own.words if text not in bare]
            bare += [text for text in keyed if exists(text) and not text.startswith("run=")]
        if bare and not self.takes_places:
            remedy = f"Did you mean {shlex.quote(f'run={bare[0]}')}?"
            raise VaeCliError(f"{bare[0]}: is not of the form key=value. {remedy}")
        keyed = [text for text in own.words if text not in bare]
        complete = request.with_overrides([as_override(text) for text in keyed])
        _check_repeats(complete.overrides, keyed, except_for=("run",) * self.has_runs)
        return replace(complete, words=tuple(bare))

    def _refuse(
        self, arguments: Sequence[str], own: argparse.Namespace, unknown: list[str], bare: list[str]
    ) -> NoReturn:
        """Raises the mistake of unknown flags, or of words that are no overrides."""
        from vae_cli.config.compose import vocabulary
        from vae_cli.config.unknown import explain_bare, explain_flags

        given = [text for text in own.words if "=" in text]
        known = vocabulary(self.config_name, given, own.config_dir)
        flags = [*self._option_string_actions, "--version", "--completion"]
        if unknown:
            raise explain_flags(flags_in(arguments, unknown), flags, known)
        raise explain_bare(self.config_name, arguments, bare[0], known, flags)

    def error(self, message: str) -> NoReturn:
        """Raises the mistake instead of leaving the process."""
        raise VaeCliError(f"{message}. Try --help.")


def _check_repeats(
    overrides: Sequence["Override"], typed: Sequence[str], except_for: Collection[str]
) -> None:
    """Checks that no key stands twice on a command line: only one of its values would count.

    Args:
        overrides: Of the command line.
        typed: The word of each.
        except_for: Keys that may be repeated.
    """
    words: dict[tuple[str, str | None], list[str]] = {}
    for override, word in zip(overrides, typed, strict=True):
        words.setdefault((override.key_or_group, override.package), []).append(word)
    for (key, _), given in words.items():
        if len(given) > 1 and key not in except_for:
            line = " ".join(map(shortened, given))
            raise VaeCliError(f"{line}: {shortened(key)} is given more than once. Leave one out.")


def flags_in(arguments: Sequence[str], unknown: Sequence[str]) -> list[tuple[str, str]]:
    """Unknown flags, each with the word behind it if that may be its value, else "".

    Args:
        arguments: The command line.
        unknown: Its words that are not known as flags.
    """
    found = []
    for text, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if text in unknown and text.startswith("-"):
            flag, sign, value = text.partition("=")
            is_value = "=" not in following and not re.match(r"-\D", following)
            found.append((flag, value if sign else following if is_value else ""))
    return found
