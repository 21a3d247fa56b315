"""What a ``_target_`` accepts, read from its source: importing it would import torch."""

import ast
import importlib.util
from collections.abc import Sequence
from functools import cache
from importlib.machinery import PathFinder
from inspect import ismodule
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, Optional, get_type_hints

from vae_cli import options

NAMES = {  # that an annotation may use; any other is a type of which nothing is known
    **{each.__name__: each for each in (int, float, bool, str, tuple, list, dict)},
    **{name: each for name, each in vars(options).items() if name[0] != "_" and not ismodule(each)},
    "Iterable": Sequence, "Optional": Optional, "Tensor": options.Foreign,
}  # fmt: skip


class Signature(NamedTuple):
    """The parameters of a function or a constructor.

    Attributes:
        annotations: By parameter; ``Any`` where the source says nothing that can be read.
        takes_any: Whether it accepts names that it does not list.
        required: Those of the parameters that have no default.
        is_called: Whether what it makes is called in its turn: it has a ``__call__``.
    """

    annotations: dict[str, Any]
    takes_any: bool
    required: tuple[str, ...] = ()
    is_called: bool = False


@cache
def signature_of(target: str) -> Signature | None:
    """The signature of a dotted name, or None where there is no such thing."""
    module, _, name = target.rpartition(".")
    if (path := _source(module)) is None:
        return None
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return _of_class(node)
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return _of_function(node)
        if isinstance(node, ast.ImportFrom):  # a package that offers what its modules define
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    origin = "." * node.level + (node.module or "")
                    return signature_of(
                        f"{importlib.util.resolve_name(origin, package)}.{alias.name}"
                    )
    return None


def _source(module: str) -> Path | None:
    """The file of a module; nothing is imported."""
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    for part in rest:
        places = spec.submodule_search_locations if spec else None
        spec = PathFinder.find_spec(part, places) if places and part else None
    path = Path(spec.origin or "") if spec else Path()
    return path if path.suffix == ".py" and path.is_file() else None


def _of_class(node: ast.ClassDef) -> Signature:
    methods = {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}
    is_called = "__call__" in methods
    if "__init__" in methods:
        return _of_function(methods["__init__"])._replace(is_called=is_called)
    fields = [item for item in node.body if isinstance(item, ast.AnnAssign)]
    if not any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        return Signature({}, bool(node.bases) and not fields, is_called=is_called)
    annotations = {ast.unparse(f.target): _evaluate(f.annotation) for f in fields}
    required = tuple(ast.unparse(f.target) for f in fields if f.value is None)
    return Signature(annotations, False, required, is_called)


def _of_function(node: ast.FunctionDef) -> Signature:
    given = node.args
    ordered = [p for p in (*given.posonlyargs, *given.args) if p.arg != "self"]
    annotations = {p.arg: _evaluate(p.annotation) for p in (*ordered, *given.kwonlyargs)}
    required = [p.arg for p in ordered[: max(len(ordered) - len(given.defaults), 0)]]
    lone = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    required += [p.arg for p, default in lone if default is None]
    return Signature(annotations, given.kwarg is not None, tuple(required))


class _Known(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        return Any


def _evaluate(annotation: ast.expr | None) -> Any:
    """The type an annotation stands for, as far as plain Python and ``vae_cli.options`` know it."""
    if annotation is None:
        return Any
    parameter = SimpleNamespace(__annotations__={"it": ast.unparse(annotation)})
    try:
        known = _Known(NAMES)
        return get_type_hints(parameter, {"__builtins__": {}}, known, include_extras=True)["it"]
    except (NameError, AttributeError, TypeError, SyntaxError):
        return Any
