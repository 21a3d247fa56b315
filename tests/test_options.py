import doctest
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from vae_cli import errors, noise
from vae_cli.errors import InvalidOption, build_part
from vae_cli.options import (
    Above,
    AtLeast,
    AtMost,
    Foreign,
    Fraction,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    checked,
    read,
)

NAN, INF = math.nan, math.inf
TABLE = [  # annotation, values it allows, values it does not, in words
    (int, [0, -3, 10**12], [1.0, 1.5, True, "1", None, [1]], "a whole number"),
    (float, [0, 0.5, -1, 1e300, INF], [NAN, True, "1e-3", None], "a number"),
    (bool, [True, False], [0, 1, "true", None], "true or false"),
    (str, ["", "x"], [1, None, True, ["x"]], "text"),
    (None, [None], [0, "", False], "null"),
    (PositiveInt, [1, 7], [0, -1, 1.5, True, NAN, "1"], "a whole number of at least 1"),
    (NonNegativeInt, [0, 7], [-1, 0.0, False], "a whole number of at least 0"),
    (PositiveFloat, [1e-9, 1, 3.5], [0, 0.0, -1, INF, NAN, True], "a number above 0"),
    (NonNegativeFloat, [0, 0.0, 2], [-1e-9, INF, NAN], "a number of at least 0"),
    (
        Fraction,
        [0, 1, 0.0, 0.5, 1.0],
        [-0.1, 1.1, INF, -INF, NAN, True],
        "a number of at least 0 and at most 1",
    ),
    (Annotated[float, Above(0), AtMost(1)], [0.1, 1], [0, 1.1], "a number above 0 and at most 1"),
    (Literal["a", "b"], ["a", "b"], ["c", "", None, ["a"]], "one of a, b"),
    (Literal["a"], ["a"], ["b"], "a"),
    (Literal[1, 2], [1, 2], [True, 1.0, "1", 3], "one of 1, 2"),
    (
        Literal["x"] | PositiveFloat,
        ["x", 2, 0.5],
        ["y", 0, None],
        "x or a number above 0",
    ),
    (int | None, [3, None], ["3", 0.5], "a whole number or null"),
    (
        Sequence[PositiveInt],
        [[], [1], (2, 3)],
        ["12", 3, [0], [1, "2"], [[1]], None, {1: 2}],
        "a list, each a whole number of at least 1",
    ),
    (
        tuple[float, float],
        [[0, 1], (0.5, 2.0)],
        [[], [1], [1, 2, 3], ["a", "b"], 1, "12"],
        "a list of 2, each a number",
    ),
    (Path, ["anything", 1, None, 2.5], [], "Path"),
    (str | Foreign, ["x"], [1, None], "text"),
]
ACCEPTED = [(annotation, value) for annotation, values, _, _ in TABLE for value in values]
REFUSED = [(annotation, value) for annotation, _, values, _ in TABLE for value in values]


@pytest.mark.parametrize(("annotation", "value"), ACCEPTED, ids=str)
def test_accepts(annotation: Any, value: object) -> None:
    assert read(annotation).accepts(value)


@pytest.mark.parametrize(("annotation", "value"), REFUSED, ids=str)
def test_refuses(annotation: Any, value: object) -> None:
    assert not read(annotation).accepts(value)


@pytest.mark.parametrize(
    ("annotation", "words"), [(row[0], row[3]) for row in TABLE], ids=lambda part: str(part)
)
def test_describes(annotation: Any, words: str) -> None:
    assert read(annotation).words(None) == words


def test_remedies_are_found_wherever_they_are() -> None:
    rule = Annotated[int, AtLeast(1, "Try less.")]
    assert all(read(r).remedy == "Try less." for r in (rule, rule | None, Sequence[rule]))
    assert read(PositiveInt).remedy == read(int).remedy == ""


class Example:
    @checked
    def __init__(
        self,
        size: PositiveInt,
        flow_length: Annotated[int, AtLeast(1, "Try {}=diagonal for none.")] = 4,
        *,
        names: Sequence[Literal["a", "b"]] = (),
        build: Callable[..., int] = len,
    ) -> None:
        self.values = (size, flow_length, names, build)


def test_checked_lets_good_values_through() -> None:
    assert Example(3).values == (3, 4, (), len)
    assert Example(3, 2, names=["a"], build=max).values == (3, 2, ["a"], max)
    assert Example.__init__.__name__ == "__init__"


def test_checked_reads_annotations_that_are_texts() -> None:
    @checked
    def build(count: "PositiveInt") -> int:
        return count

    assert build(1) == 1
    with pytest.raises(InvalidOption, match=r"^count=0: needs a whole number of at least 1\."):
        build(0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Example(0), "size=0: needs a whole number of at least 1."),
        (lambda: Example(size=None), "size=null: needs a whole number of at least 1."),
        (lambda: Example(True), "size=true: needs a whole number of at least 1."),
        (
            lambda: Example(1, 0),
            "flow_length=0: needs a whole number of at least 1. Try diagonal for none.",
        ),
        (lambda: Example(1, names=["a", "c"]), "names=[a,c]: needs a list, each one of a, b."),
    ],
)
def test_checked_names_key_value_rule_and_remedy(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidOption) as raised:
        call()
    assert str(raised.value) == message
    assert raised.value.name == message.partition("=")[0]


@pytest.mark.parametrize(
    "call", [lambda: Example(), lambda: Example(1, flow_lenght=2), lambda: Example(1, 2, 3)]
)
def test_checked_leaves_wrong_calls_to_python(call: Callable[[], object]) -> None:
    with pytest.raises(TypeError):
        call()


def test_examples() -> None:
    assert doctest.testmod(errors).failed == doctest.testmod(noise).failed == 0


def test_a_part_has_its_name_in_messages() -> None:
    with pytest.raises(InvalidOption) as raised:
        build_part("posterior", Example, size=1, flow_length=0)
    assert str(raised.value) == (
        "posterior.flow_length=0: needs a whole number of at least 1. "
        "Try posterior=diagonal for none."
    )
    whole = raised.value.within("model")
    assert whole.name == "model.posterior.flow_length"
    assert whole.advice == "Try model.posterior=diagonal for none."
