"""The rules an option can state in its annotation, and the check of a value against them.

A constructor says what its options accept where it names them::

    @checked
    def __init__(self, latent_dim: int, flow_length: Annotated[int, AtLeast(1)] = 4) -> None: ...

``checked`` holds a caller to it; ``vae_cli.config`` reads the same annotations from the source
without importing it, so that a mistake is told before torch is loaded. This module is therefore
plain Python.
"""

import functools
import inspect
import math
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from vae_cli.errors import InvalidOption

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class AtLeast:
    """A number no smaller than ``minimum``; ``remedy`` says what to do instead."""

    minimum: float
    remedy: str = ""

    def holds(self, value: float) -> bool:
        """Whether a number obeys the rule."""
        return self.minimum <= value < math.inf

    def __str__(self) -> str:
        return f"of at least {self.minimum}"


@dataclass(frozen=True)
class Above:
    """A finite number larger than ``bound``."""

    bound: float
    remedy: str = ""

    def holds(self, value: float) -> bool:
        """Whether a number obeys the rule."""
        return self.bound < value < math.inf

    def __str__(self) -> str:
        return f"above {self.bound}"


@dataclass(frozen=True)
class Below:
    """A number smaller than ``bound``."""

    bound: float
    remedy: str = ""

    def holds(self, value: float) -> bool:
        """Whether a number obeys the rule."""
        return value < self.bound

    def __str__(self) -> str:
        return f"below {self.bound}"


@dataclass(frozen=True)
class AtMost:
    """A number no larger than ``maximum``."""

    maximum: float
    remedy: str = ""

    def holds(self, value: float) -> bool:
        """Whether a number obeys the rule."""
        return value <= self.maximum

    def __str__(self) -> str:
        return f"at most {self.maximum}"


COUNTABLE = AtMost(2**31 - 1)  # a larger size has no memory, a larger duration no end
PositiveInt = Annotated[int, AtLeast(1), COUNTABLE]
Draws = Annotated[int, AtLeast(1), AtMost(1_000_000_000)]  # or steps; more would take years
Tiles = Annotated[int, AtLeast(1), AtMost(100)]  # rows or columns of a picture; more can't be seen
NonNegativeInt = Annotated[int, AtLeast(0)]
PositiveFloat = Annotated[float, Above(0)]
NonNegativeFloat = Annotated[float, AtLeast(0)]
Fraction = Annotated[float, AtLeast(0), AtMost(1)]


class Foreign:
    """Stands for a type that only code can give, such as a tensor, beside one that a user can."""


Rule = AtLeast | Above | AtMost | Below
NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def accepts(annotation: Any, value: Any) -> bool:
    """Whether a plain value (as yaml has it) is what the annotation allows.

    A type that configuration can't express (a ``Tensor``, a module) accepts anything: such
    arguments come from the code, not from the user.
    """
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return accepts(parts[0], value) and all(rule.holds(value) for rule in parts[1:])
    if origin is Literal:
        return any(value == part and type(value) is type(part) for part in parts)
    if origin in (Union, types.UnionType):
        return any(part is not Foreign and accepts(part, value) for part in parts)
    if origin in (Sequence, list, tuple):
        if not isinstance(value, (list, tuple)):
            return False
        each = parts if origin is tuple else parts[:1] * len(value)
        return len(each) == len(value) and all(map(accepts, each, value))
    if origin is Mapping:
        return isinstance(value, Mapping)
    if annotation in (None, types.NoneType):
        return value is None
    if annotation is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if annotation in (bool, str):
        return isinstance(value, annotation)
    return True


def describe(annotation: Any, value: Any = None) -> str:
    """The rule of an annotation in words, to stand after "needs".

    Args:
        annotation: Of the option.
        value: What it was set to: the largest count is named where this exceeds it.
    """
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        rules = [rule for rule in parts[1:] if rule is not COUNTABLE or _is_countless(value)]
        return f"{describe(parts[0])} {' and '.join(map(str, rules))}"
    if origin is Literal:
        return ("one of " if len(parts) > 1 else "") + ", ".join(map(str, parts))
    if origin in (Union, types.UnionType):
        return " or ".join(describe(part, value) for part in parts if part is not Foreign)
    if origin in (Sequence, list):
        return f"a list, each {describe(parts[0], value)}"
    if origin is tuple:
        return f"a list of {len(parts)}, each {describe(parts[0])}"
    if origin is Mapping:
        return "names with values"
    if annotation in (None, types.NoneType):
        return "null"
    return NAMES.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _is_countless(value: Any) -> bool:
    """Whether a number, or one of a list, is larger than any count."""
    values = value if isinstance(value, (list, tuple)) else [value]
    return any(isinstance(each, (int, float)) and not COUNTABLE.holds(each) for each in values)


def remedy(annotation: Any) -> str:
    """What the annotation's own rules advise, or an empty string."""
    parts = get_args(annotation)
    own = [p.remedy for p in parts if isinstance(p, Rule)]
    return next(filter(None, own + [remedy(p) for p in parts if not isinstance(p, Rule)]), "")


def checked(function: F) -> F:
    """Makes a function raise InvalidOption for an argument that its annotation does not allow."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        hints = get_type_hints(function, include_extras=True)
        for name, value in bound.arguments.items():
            if name in hints and not accepts(hints[name], value):
                rule = f"needs {describe(hints[name], value)}"
                raise InvalidOption(name, value, rule, remedy(hints[name]))
        return function(*args, **kwargs)

    return wrapper  # type: ignore[return-value]
