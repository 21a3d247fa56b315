"""The rules that an option states in its annotation, and the check of a value against them.

    @checked
    def __init__(self, latent_dim: int, flow_length: Annotated[int, AtLeast(1)] = 4) -> None: ...

``checked`` holds a caller to them; ``vae_cli.config`` reads the same annotations from the source,
before torch is imported. This module is therefore plain Python.
"""

import functools
import inspect
import math
import operator
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from vae_cli.errors import InvalidOption

F = TypeVar("F", bound=Callable[..., Any])
RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "of at least": operator.ge, "above": operator.gt, "at most": operator.le, "below": operator.lt,
}  # fmt: skip


@dataclass(frozen=True)
class Bound:
    """A bound on a number, which must be finite; ``remedy`` says what to do instead."""

    relation: str
    bound: float
    remedy: str = ""

    def holds(self, value: float) -> bool:
        """Whether a number obeys the rule."""
        return value < math.inf and RELATIONS[self.relation](value, self.bound)

    def __str__(self) -> str:
        return f"{self.relation} {self.bound}"


AtLeast, Above, AtMost, Below = (functools.partial(Bound, relation) for relation in RELATIONS)
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


class Rule(NamedTuple):
    """What an annotation allows.

    Attributes:
        accepts: Whether it allows a plain value, as yaml has it.
        words: The rule, to stand after "needs", for a value that breaks it.
        remedy: What the bounds advise; empty for nothing.
        names: The texts that are allowed, alone or beside others.
    """

    accepts: Callable[[Any], bool]
    words: Callable[[Any], str]
    remedy: str = ""
    names: tuple[str, ...] = ()


PLAIN: dict[Any, tuple[Any, str]] = {  # types, those of their values, and their words
    int: (int, "a whole number"),
    float: ((int, float), "a number"),
    bool: (bool, "true or false"),
    str: (str, "text"),
    types.NoneType: (types.NoneType, "null"),
    None: (types.NoneType, "null"),
    Mapping: (Mapping, "names with values"),
}


@functools.cache
def read(annotation: Any) -> Rule:
    """What an annotation allows: anything, where configuration can't express it (a module)."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _bounded(read(parts[0]), parts[1:])
    if origin is Literal:
        words = "one of " * (len(parts) > 1) + ", ".join(map(str, parts))
        names = tuple(part for part in parts if isinstance(part, str))
        return Rule(lambda v: any(v == p and type(v) is type(p) for p in parts), lambda _: words,
                    names=names)  # fmt: skip
    rules = [read(part) for part in parts if part not in (Foreign, ...)]
    remedy = next((rule.remedy for rule in rules if rule.remedy), "")
    if origin in (Union, types.UnionType):
        return Rule(
            lambda value: any(rule.accepts(value) for rule in rules),
            lambda value: _alternatives([rule.words(value) for rule in rules]),
            remedy,
            tuple(name for rule in rules for name in rule.names),
        )
    if origin in (Sequence, list, tuple):
        some = f" of {len(parts)}" if origin is tuple else ""
        return Rule(
            lambda values: (
                isinstance(values, (list, tuple))
                and len(each := rules if origin is tuple else rules * len(values)) == len(values)
                and all(rule.accepts(v) for rule, v in zip(each, values, strict=True))
            ),
            lambda value: f"a list{some}, each {rules[0].words(value)}",
            remedy,
        )
    if (plain := PLAIN.get(origin or annotation)) is None:
        return Rule(lambda _: True, lambda _: getattr(annotation, "__name__", str(annotation)))
    kind, name = plain
    is_true = kind is bool  # which is a number to Python
    return Rule(
        lambda v: isinstance(v, kind) and isinstance(v, bool) is is_true and v == v, lambda _: name
    )


def _alternatives(words: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _bounded(rule: Rule, bounds: Sequence[Bound]) -> Rule:
    def words(value: Any) -> str:
        values = value if isinstance(value, (list, tuple)) else [value]
        large = any(isinstance(v, (int, float)) and not COUNTABLE.holds(v) for v in values)
        shown = [str(bound) for bound in bounds if bound is not COUNTABLE or large]
        return f"{rule.words(value)} {' and '.join(shown)}"

    remedy = next((bound.remedy for bound in bounds if bound.remedy), "")
    return Rule(lambda v: rule.accepts(v) and all(b.holds(v) for b in bounds), words, remedy)


def checked(function: F) -> F:
    """Makes a function raise InvalidOption for an argument that its annotation does not allow."""
    signature = inspect.signature(function)

    @functools.cache
    def rules() -> dict[str, Rule]:  # later than the definition, for annotations that are texts
        hints = get_type_hints(function, include_extras=True)
        return {name: read(hint) for name, hint in hints.items()}

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            rule = rules().get(name)
            if rule is not None and not rule.accepts(value):
                raise InvalidOption(name, value, f"needs {rule.words(value)}", rule.remedy)
        return function(*args, **kwargs)

    return wrapper  # type: ignore[return-value]
