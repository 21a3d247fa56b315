"""The examples in docstrings do what they say."""

import doctest
import pkgutil
from importlib import import_module

import vae_cli


def test_examples_of_every_module() -> None:
    names = [module.name for module in pkgutil.walk_packages(vae_cli.__path__, "vae_cli.")]
    assert len(names) > 200
    results = {name: doctest.testmod(import_module(name)) for name in names}
    assert [name for name, result in results.items() if result.failed] == []
    assert sum(result.attempted for result in results.values()) > 20
