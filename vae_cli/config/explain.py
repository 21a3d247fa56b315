"""Why a command line could not be composed, in one line."""

import importlib.util
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import NamedTuple

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from vae_cli.config.check import NO_SUCH_KEY
from vae_cli.config.composition import SEARCH_PATH, NotComposable, base_of, composed
from vae_cli.config.deletion import explain_deletion, needed_by
from vae_cli.config.grammar import parsed
from vae_cli.config.unknown import (
    explain_bare,
    remedy_of,
    select,
    unknown_hydra_key,
    unknown_key,
    unknown_option,
)
from vae_cli.config.vocabulary import Groups, Vocabulary, vocabulary_of
from vae_cli.errors import ConfigError, VaeCliError, as_written, install, shortened

LAUNCHERS = ("launcher", "hydra/launcher")  # our presets, and what they are presets of
EXTRAS = {  # of this package, by launcher
    "joblib": "joblib", "submitit_local": "submitit", "submitit_slurm": "submitit", "ray": "ray",
}  # fmt: skip
REFUSED = "Error merging override "  # Hydra's words before an override


def check_single(
    cfg: DictConfig, choices: Mapping[str, str], known: Iterable[str], overrides: Sequence[str]
) -> None:
    """Checks that a list of options was only given to groups that take several.

    Hydra would merge them into one thing that is neither.

    Args:
        cfg: As composed.
        choices: The option in use of each group, where it is one.
        known: Groups of which options are chosen in any case.
        overrides: As on the command line.
    """
    given = [o for o in map(parsed, overrides) if not o.is_delete()]
    lists = {o.key_or_group: v for o in given if isinstance(v := o.value(), list)}
    for group in {*known, *lists} - {*choices}:
        node = select(cfg, group.replace("/", "."))
        if isinstance(node, DictConfig) and "_target_" in node:
            chosen = lists.get(group, [])
            remedy = f"Try {group}={chosen[0]}." if chosen else f"Choose one: {group}=OPTION."
            raise ConfigError(group, chosen or "[...]", "takes one option, not a list", remedy)


class CommandLine(NamedTuple):
    """What was asked for, and what could have been.

    Attributes:
        config_name: Name of the primary file.
        overrides: As on the command line.
        groups: The options of each group.
        typed: What was typed in place of an override, where that is not the same.
    """

    config_name: str
    overrides: Sequence[str]
    groups: Groups
    typed: Mapping[str, str]

    def explain_mistake(self, error: ConfigError) -> VaeCliError:
        """What the check of a configuration found, with the words that were meant."""
        if (needed := needed_by(error, self.overrides)) is not None:
            return needed
        own = [o for o in self._own(self.overrides) if not o.is_delete()]
        given = [o for o in own if f".{o.key_or_group}".endswith(f".{error.key}")]
        given = [override for override in given if override.key_or_group not in self.groups]
        if error.remedy and not given:
            return error
        base = base_of(self.config_name, self.overrides, self.groups)
        if given:  # a key that was added (+lr=0.1), or one that chooses an option of a group
            key = given[-1].key_or_group
            remedy = remedy_of(key, self._value(given[-1]), self._known(base))
            if remedy and (error.rule == NO_SUCH_KEY or key.replace(".", "/") in self.groups):
                return ConfigError(key, error.value, error.rule, remedy)
        default = select(base, error.key)
        if error.remedy or default is None or default == error.value:
            return error
        plain = OmegaConf.to_container(default) if OmegaConf.is_config(default) else default
        remedy = f"Try {error.key}={as_written(plain)}."
        return ConfigError(error.key, error.value, error.rule, remedy)

    def explain_failure(self, error: Exception) -> VaeCliError:
        """Finds the override that is to blame for an exception of Hydra's; else its own words."""
        bare = [text for text in self.overrides if "=" not in text and not text.startswith("~")]
        try:
            own = self._own([text for text in self.overrides if text not in bare])
            base = base_of(self.config_name, self.overrides, self.groups)
        except VaeCliError as unreadable:
            return unreadable
        except NotComposable:  # there is no such primary file, say
            return self._in_hydras_words(error)
        known = self._known(base)
        if bare:
            return explain_bare(self.config_name, self.overrides, bare[0], known)
        blamed = chain(
            (self._wrong_option(override, known) for override in own),
            (self._wrong_key(error, override, base, known) for override in own),
            self._wrong_hydra_keys(),
        )
        return next(filter(None, blamed), None) or self._in_hydras_words(error)

    def _wrong_option(self, override: Override, known: Vocabulary) -> VaeCliError | None:
        name, line = override.value(), shortened(str(override.input_line))
        extra = EXTRAS.get(str(name)) if override.key_or_group in LAUNCHERS else None
        if extra and not _is_installed(f"hydra_plugins.hydra_{extra}_launcher"):
            rule = f"needs packages of the extra {extra}"
            return ConfigError(override.key_or_group, name, rule, f"{install(extra)}.")
        if override.is_sweep_override():
            is_training = self.config_name == "train"
            sweep = "Add -m, put" if is_training else "Put"
            remedy = f"{sweep} a list in brackets, or one value in quotes within quotes."
            return VaeCliError(f"{line}: comma-separated values make several runs. {remedy}")
        return unknown_option(override, known)

    def _wrong_key(
        self, error: Exception, override: Override, base: DictConfig, known: Vocabulary
    ) -> VaeCliError | None:
        key, line = override.key_or_group, shortened(str(override.input_line))
        if (deletion := explain_deletion(error, override, base)) is not None:
            return deletion
        if override.is_add():
            is_there = key in self.groups or OmegaConf.select(base, key) is not None
            remedy = f"is there already. Leave out the +: {line.lstrip('+')}."
            return VaeCliError(f"{line}: {remedy}") if is_there else None
        value = self._value(override)
        return None if key in self.groups else unknown_key(override, value, base, known)

    def _wrong_hydra_keys(self) -> Iterator[VaeCliError | None]:
        everything = composed(self.config_name, ())
        for override in map(parsed, self.overrides):
            if override.key_or_group.startswith("hydra.") and not override.is_delete():
                yield unknown_hydra_key(override, everything)

    def _known(self, base: DictConfig) -> Vocabulary:
        return vocabulary_of(self.config_name, base, self.groups)

    def _value(self, override: Override) -> str:
        """The value of an override as it stands on the command line, which may be several."""
        line = str(override.input_line)
        return self.typed.get(line, line).partition("=")[2]

    def _in_hydras_words(self, error: Exception) -> VaeCliError:
        """The first line of Hydra's message, behind the override that it is about."""
        text = str(error)
        first_line = next(filter(None, text.splitlines()), type(error).__name__).rstrip(".")
        if first_line.startswith(REFUSED):
            rule = "is not a value that this key takes. Try another, or leave it out"
            return VaeCliError(f"{shortened(first_line.removeprefix(REFUSED))}: {rule}.")
        given = [o for o in map(parsed, self.overrides) if o.key_or_group != SEARCH_PATH]
        named = [o for o in given if re.search(rf"\b{re.escape(o.key_or_group)}\b", text)]
        if not named:
            return VaeCliError(f"{first_line}.")
        most_exact = max(named, key=lambda override: len(override.key_or_group))
        return VaeCliError(f"{shortened(str(most_exact.input_line))}: {first_line}.")

    @staticmethod
    def _own(overrides: Sequence[str]) -> list[Override]:
        """The overrides without values of Hydra's own configuration."""
        everything = map(parsed, overrides)
        return [o for o in everything if o.is_delete() or not o.key_or_group.startswith("hydra.")]


def _is_installed(module: str) -> bool:
    with suppress(ModuleNotFoundError):  # of the package that it is in
        return importlib.util.find_spec(module) is not None
    return False
