"""The package's own yamls, each of which is read once: a sweep composes many configurations."""

import pickle
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path

from hydra._internal.core_plugins import importlib_resources_config_source as hydras
from hydra._internal.sources_registry import SourcesRegistry
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, ListConfig, OmegaConf


class ImportlibResourcesConfigSource(hydras.ImportlibResourcesConfigSource):
    """Hydra's source of the yamls in a package, and of the same name, by which Hydra knows it."""

    def _read_config(self, res: Traversable) -> ConfigResult:
        name = str(res)
        if name not in _READ:
            _READ[name] = pickle.dumps(super()._read_config(res))
        found: ConfigResult = pickle.loads(_READ[name])  # a fresh one: Hydra changes it
        return found


_READ = dict[str, bytes]()
SourcesRegistry.instance().register(ImportlibResourcesConfigSource)


@cache
def built_in(file: Path) -> DictConfig | ListConfig:
    """What one of the package's own yamls holds; not to be changed."""
    return OmegaConf.load(file)
