"""Hydra's composition of the package's own yamls, done once for each choice of options.

Most tests choose the same options and give other values to a few keys. What Hydra makes of the
options alone is kept; the values are applied to a copy of it, by Hydra.
"""

import pickle
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources.abc import Traversable
from typing import Any

import pytest
from hydra._internal import defaults_list
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import IConfigRepository
from hydra._internal.defaults_list import Overrides
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.default_element import ResultDefault
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigResult, ConfigSource
from omegaconf import DictConfig

from vae_cli.config import composition

VALUES = "config_overrides"  # what an Overrides holds beside choices of options


@contextmanager
def remembered_composition() -> Iterator[None]:
    """Remembers, until it is left, what any folder but the user's own decides."""
    known = dict[Hashable, bytes]()  # pickled: faster than copies

    def remember(key: Hashable, make: Callable[[], Any]) -> Any:
        if key not in known:
            known[key] = pickle.dumps(make())
        return pickle.loads(known[key])

    def list_defaults(
        repo: IConfigRepository, name: str, overrides: Overrides, *flags: Any, **named: Any
    ) -> Any:
        """What comes from where, and what was found out about the choices."""
        given, choices = (repo, name, overrides), vars(overrides).copy()
        choices.pop(VALUES)

        def make() -> Any:
            found = list_all(*given, *flags, **named)
            return found, {key: vars(overrides)[key] for key in choices}

        if has_own_yamls(repo):
            return list_all(*given, *flags, **named)
        found, settled = remember(repr((name, choices, flags, named)), make)
        vars(overrides).update(settled)
        return found

    def merge(
        self: ConfigLoaderImpl, defaults: list[ResultDefault], repo: IConfigRepository
    ) -> DictConfig:
        """What the yamls of the options come to."""
        if has_own_yamls(repo):
            return merge_all(self, defaults, repo)
        return remember(repr(defaults), lambda: merge_all(self, defaults, repo))

    def composed(config_name: str, overrides: Sequence[str]) -> DictConfig:
        """A message about a mistake is made from the options alone."""
        if any(composition.SEARCH_PATH in text for text in overrides):
            return compose(config_name, overrides)
        key = repr((config_name, overrides))
        full: DictConfig = remember(key, lambda: compose(config_name, overrides))
        HydraConfig.instance().set_config(full)
        return full

    def read(self: ConfigSource, file: Traversable) -> ConfigResult:
        """A yaml of the package's own."""
        return remember(str(file), lambda: read_file(self, file))

    Plugins.instance()  # which fills the registry
    source: Any = SourcesRegistry.instance().resolve("pkg")
    read_file = source._read_config
    list_all, compose = defaults_list._create_defaults_list, composition.composed
    merge_all = ConfigLoaderImpl._compose_config_from_defaults_list
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composition, "composed", composed)
        patch.setattr(source, "_read_config", read)
        patch.setattr(defaults_list, "_create_defaults_list", list_defaults)
        patch.setattr(ConfigLoaderImpl, "_compose_config_from_defaults_list", merge)
        yield


def has_own_yamls(repo: IConfigRepository) -> bool:
    """Whether yamls of a user's are read, which may change."""
    return any(source.scheme() == "file" for source in repo.get_sources())
