"""What a ``_target_`` accepts, read from its source without importing it.

Importing a class means importing torch, which takes seconds; a mistake in a configuration should
be told before that. The annotations say it all (see ``vae_cli.options``).
"""

import ast
import importlib.util
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Optional, Union

from vae_cli import options

BUILTINS = {t.__name__: t for t in (int, float, bool, str, tuple, list, dict)}
TYPING = {
    "Annotated": Annotated, "Any": Any, "Callable": Callable, "Iterable": Sequence,
    "Literal": Literal, "Optional": Optional, "Sequence": Sequence, "Tensor": options.Foreign,
    "Union": Union,
}  # fmt: skip
RULES = {name: value for name, value in vars(options).items() if not name.startswith("_")}


class Signature(NamedTuple):
    """The parameters of a function or a constructor.

    Attributes:
        annotations: By parameter; ``Any`` where the source says nothing that can be read.
        takes_any: Whether it accepts names that it does not list.
        required: Those of the parameters that have no default.
        is_called: Whether what it makes is called in its turn: it has a ``__call__`` of its own.
    """

    annotations: dict[str, Any]
    takes_any: bool
    required: tuple[str, ...] = ()
    is_called: bool = False


@cache
def signature_of(target: str) -> Signature | None:
    """The signature of a dotted name, or None where there is no such thing."""
    module, _, name = target.rpartition(".")
    return _find(module, name)


def _find(module: str, name: str) -> Signature | None:
    path = _source(module)
    if path is None:
        return None
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return _of_class(node)
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return _of_function(node)
        if isinstance(node, ast.ImportFrom):  # a package that offers what its modules define
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
                    parents = package.split(".")[: len(package.split(".")) - max(node.level - 1, 0)]
                    origin = ".".join(parents * bool(node.level) + [node.module or ""]).strip(".")
                    return _find(origin, alias.name)
    return None


def _source(module: str) -> Path | None:
    """The file of a module, found without importing any but its top-level package's spec."""
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    if not spec.submodule_search_locations:
        return Path(spec.origin) if not rest and Path(spec.origin).is_file() else None
    for root in spec.submodule_search_locations:
        base = Path(root, *rest)
        for candidate in (base.with_suffix(".py"), base / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None


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
    ordered = [*node.args.posonlyargs, *node.args.args]
    parameters = [*ordered, *node.args.kwonlyargs]
    annotations = {p.arg: _evaluate(p.annotation) for p in parameters if p.arg != "self"}
    required = [p.arg for p in ordered[: len(ordered) - len(node.args.defaults)]]
    lone = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    required += [p.arg for p, default in lone if default is None]
    names = tuple(name for name in required if name != "self")
    return Signature(annotations, node.args.kwarg is not None, names)


class _Known(dict[str, Any]):
    """The names that an annotation may use; any other is a type of which nothing is known."""

    def __missing__(self, name: str) -> Any:
        return Any


def _evaluate(annotation: ast.expr | None) -> Any:
    """The type an annotation stands for, as far as plain Python and ``vae_cli.options`` know it."""
    if annotation is None:
        return Any
    code = compile(ast.Expression(annotation), "<annotation>", "eval")
    try:
        return eval(code, {"__builtins__": {}}, _Known({**BUILTINS, **TYPING, **RULES}))
    except (NameError, AttributeError, TypeError):
        return Any
