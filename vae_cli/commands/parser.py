"""The grammar of a command line: flags, and overrides for Hydra."""

import argparse
import re
from collections.abc import Sequence
from typing import NoReturn

from vae_cli.errors import VaeCliError


class Parser(argparse.ArgumentParser):
    """Reads flags and overrides in any order, and answers an unknown one in one line.

    Args:
        config_name: Name of the command's primary file.
        takes_places: Whether a word that is no override is one of the command's places.
    """

    def __init__(self, config_name: str, takes_places: bool = False) -> None:
        super().__init__(add_help=False, allow_abbrev=False)
        self.config_name, self.takes_places = config_name, takes_places
        self.add_argument("--help", "-h", action="store_true")
        self.add_argument("--config-dir", "-cd")
        self.add_argument("overrides", nargs="*")

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Reads a command line: flags, and overrides in which paths mean what the shell gives."""
        from vae_cli.config.path_words import as_override  # Hydra takes its time to import

        own, unknown = self.parse_known_intermixed_args(arguments)
        words = [text for text in own.overrides if "=" not in text and not text.startswith("~")]
        if unknown or (words and not (self.takes_places or own.help)):
            self._refuse(arguments, own, unknown, words)
        own.flags = [text for text in arguments if text not in own.overrides]
        own.overrides = [as_override(text) for text in own.overrides]
        return own

    def _refuse(
        self, arguments: Sequence[str], own: argparse.Namespace, unknown: list[str], bare: list[str]
    ) -> NoReturn:
        """Raises the mistake of unknown flags, or of words that are no overrides."""
        from vae_cli.config.compose import vocabulary
        from vae_cli.config.unknown import explain_bare, explain_flags

        given = [text for text in own.overrides if "=" in text]
        known = vocabulary(self.config_name, given, own.config_dir)
        flags = [*self._option_string_actions, "--version"]
        if unknown:
            raise explain_flags(flags_in(arguments, unknown), flags, known)
        raise explain_bare(self.config_name, arguments, bare[0], known, flags)

    def error(self, message: str) -> NoReturn:
        """Raises the mistake instead of leaving the process."""
        raise VaeCliError(f"{message}. Try --help.")


def flags_in(arguments: Sequence[str], unknown: Sequence[str]) -> list[tuple[str, str]]:
    """Flags that there are not, each with the word behind it if that may be its value, else "".

    Args:
        arguments: The command line.
        unknown: Its words that are no known flags.
    """
    found = []
    for text, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if text in unknown and text.startswith("-"):
            flag, sign, value = text.partition("=")
            is_value = "=" not in following and not re.match(r"-\D", following)
            found.append((flag, value if sign else following if is_value else ""))
    return found
