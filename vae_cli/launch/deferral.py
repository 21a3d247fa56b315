"""Loads some modules when something of them is used, and not when a library imports them.

Lightning and torch's optimizers import torchmetrics (with torchvision, scipy and matplotlib) and
torch's compiler (with sympy and triton): more than half of the time that a command took to start.
What they use of them is a class for ``isinstance``, which has no instances before its module is
loaded, and functions that do nothing outside of compiled code. Asked for anything else, a deferred
module loads itself, so nothing is missing, whatever the version.

``importlib.util.LazyLoader`` is no help here: ``from torchmetrics import Metric`` makes it load the
module, and in Python 3.11 so does the second ``import torchmetrics``.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


def defer_modules() -> None:
    """From now on, an import of one of the modules of ``DEFERRED`` does not load it."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _StandInType(type):
    """The type of classes that have the instances of a deferred module's class of their name."""

    def __instancecheck__(cls, instance: object) -> bool:
        module = sys.modules.get(cls.__module__) if cls.__module__ in DEFERRED else None
        if module is None or isinstance(module, _Deferred):
            return super().__instancecheck__(instance)
        return isinstance(instance, getattr(module, cls.__name__))


def _classes(module: str, *names: str) -> dict[str, Any]:
    return {name: _StandInType(name, (), {"__module__": module}) for name in names}


def _disable(function: Any, *_: Any, **__: Any) -> Any:
    """The compiler's decorator; without a function it gives one."""
    return _disable if function is None else function


def _graph_break() -> None:
    """Where the compiler is to begin anew."""


# Module -> what it answers without being loaded, by name.
DEFERRED: dict[str, dict[str, Any]] = {
    "torch._dynamo": {
        "disable": _disable,
        "graph_break": _graph_break,
        **_classes("torch._dynamo", "OptimizedModule"),
    },
    "torch.export": {},
    "torchmetrics": _classes("torchmetrics", "Metric", "MetricCollection"),
    "triton": {},
    "triton.runtime": {},
    "triton.runtime.jit": _classes("triton.runtime.jit", "JITFunction"),
}


class _Deferred(ModuleType):
    """A module that is not loaded yet."""

    def __getattr__(self, name: str) -> Any:
        answers = DEFERRED[self.__name__]
        if name in answers:
            return answers[name]
        if name.startswith("__"):  # of whoever looks through all modules
            raise AttributeError(name)
        _load(self)
        return getattr(self, name)


def _load(module: ModuleType) -> None:
    """Loads a deferred module, in place; the modules that it is within come first."""
    outer = sys.modules.get(module.__name__.rpartition(".")[0])
    if isinstance(outer, _Deferred):
        _load(outer)
    is_deferred = isinstance(module, _Deferred)  # still: the outer one may have used it
    if is_deferred:
        module.__class__ = ModuleType
        spec = module.__spec__
        assert spec is not None and spec.loader is not None
        spec.loader.exec_module(module)


class _Finder(MetaPathFinder):
    """Finds the deferred modules, and before a module within one of them loads that one."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in DEFERRED:
            spec = PathFinder.find_spec(fullname, path)
            if spec is not None and spec.loader is not None:
                spec.loader = _Deferring(spec.loader)
            return spec
        outer = sys.modules.get(fullname.rpartition(".")[0])
        if isinstance(outer, _Deferred):
            _load(outer)
            if (module := sys.modules.get(fullname)) is not None:
                # Of a module that is there by now, Python takes the module's own spec.
                module.__spec__ = ModuleSpec(fullname, _Present(module))
                return module.__spec__
        return None


class _Deferring(Loader):
    """Makes a module without running its code.

    Args:
        loader: That will run it.
    """

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Deferred(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self.loader


class _Present(Loader):
    """Gives a module that is there already: the one that it is within has loaded it.

    Args:
        module: The module.
    """

    def __init__(self, module: ModuleType) -> None:
        self.module, self.spec = module, module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec
