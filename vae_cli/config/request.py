"""One command line, parsed once; every command gets it and asks it for keys by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from vae_cli.config.compose import compose
from vae_cli.config.grammar import parsed


@dataclass(frozen=True)
class Request:
    """What a command was asked to do.

    A key is the same in every form: ``resume=X``, ``+resume=X``, ``++resume=X``, ``resume='X'``.

    Attributes:
        config_name: Name of the primary file: ``train``, ``eval``.
        overrides: As Hydra reads them, in the order of the command line.
        config_dir: A folder of the user's own yamls.
        arguments: The command line without the program's name, as typed.
        words: Its words that are neither overrides nor flags.
        flags: The values of its flags, by name.
        hydra_flags: Its flags as typed, for Hydra.

    Example:
        >>> request = Request.of("train", ["++resume='my run'", "seed=1"])
        >>> request.value("resume")
        'my run'
        >>> request.without("resume").texts
        ['seed=1']
    """

    config_name: str
    overrides: tuple[Override, ...] = ()
    config_dir: str | None = None
    arguments: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    flags: Mapping[str, Any] = field(default_factory=dict)
    hydra_flags: tuple[str, ...] = ()

    @classmethod
    def of(cls, config_name: str, texts: Sequence[str], config_dir: str | None = None) -> Self:
        """A request without flags, of overrides in Hydra's grammar."""
        return cls(config_name, tuple(map(parsed, texts)), config_dir)

    @property
    def texts(self) -> list[str]:
        """The overrides, in Hydra's grammar."""
        return [str(override.input_line) for override in self.overrides]

    @property
    def is_trusted(self) -> bool:
        """Whether it has ``trust=true``: nothing that a folder holds can say so."""
        return self.value("trust") is True

    def names(self, key: str) -> bool:
        """Whether a key is given or deleted."""
        return any(override.key_or_group == key for override in self.overrides)

    def values(self, key: str) -> list[Any]:
        """Every value that a key is given; usually one."""
        return [o.value() for o in self.overrides if o.key_or_group == key and not o.is_delete()]

    def value(self, key: str) -> Any:
        """The last value that a key is given; None for none."""
        return next(reversed(self.values(key)), None)

    def listed(self, *groups: str) -> set[str]:
        """The options that groups with several options are given by name."""
        given = [value for group in groups for value in self.values(group)]
        return {str(name) for v in given for name in (v if isinstance(v, list) else [v])}

    def without(self, *keys: str) -> Self:
        """The request without some keys."""
        return self._kept([o for o in self.overrides if o.key_or_group not in keys])

    def within(self, *keys: str) -> Self:
        """The request with these keys and those below them alone: ``data``, ``data.root``."""
        return self._kept([o for o in self.overrides if is_within(o.key_or_group, keys)])

    def with_overrides(self, texts: Sequence[str]) -> Self:
        """The request with further overrides, in Hydra's grammar."""
        return self._kept([*self.overrides, *map(parsed, texts)])

    def after(self, saved: Sequence[str]) -> Self:
        """The request behind the overrides of the run that it resumes; the last of each counts."""
        last: dict[str, Override] = {}
        for override in (*map(parsed, saved), *self.overrides):
            last.pop(override.get_key_element(), None)
            last[override.get_key_element()] = override
        return self._kept(list(last.values()))

    def compose(self) -> tuple[DictConfig, str]:
        """The configuration, checked, and the folder that the run gets."""
        return compose(self.config_name, self.texts, self.config_dir)

    def _kept(self, overrides: Sequence[Override]) -> Self:
        return replace(self, overrides=tuple(overrides))


def is_within(key: str, names: Sequence[str]) -> bool:
    """Whether a key is one of some names, or below one: ``data.root`` is below ``data``."""
    return key in names or key.startswith(tuple(f"{name}{sign}" for name in names for sign in "./"))
