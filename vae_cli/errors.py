"""What a command tells its user in one line, without a traceback."""

import re
import shlex
from collections.abc import Callable
from typing import Any, Self, TypeVar

T = TypeVar("T")
NAME = re.compile(r"\{([\w.]*)\}(?==)")  # of an option, in a remedy
LONGEST = 200  # characters of a value in a message


def as_written(value: object) -> str:
    """A value as it stands on a command line, its middle left out if it is very long."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, (list, tuple)):
        text = f"[{','.join(map(as_written, value))}]"
    elif isinstance(value, dict):
        text = f"{{{','.join(f'{name}:{as_written(v)}' for name, v in value.items())}}}"
    else:
        text = str(value)
    return shortened(text)


def shell_word(path: object) -> str:
    """A path as a message writes it for a command line: in quotes where the shell needs them."""
    return shlex.quote(str(path))


def install(extra: str) -> str:
    """How the packages of an extra of this package come, as a remedy without its stop."""
    return f"Try pip install 'vae-cli[{extra}]'"


def shortened(text: str, longest: int = LONGEST) -> str:
    """A text without its middle if it is longer than that."""
    return text if len(text) <= longest else f"{text[: longest // 2]}…{text[-longest // 2 :]}"


class VaeCliError(Exception):
    """Something the user can put right; a command prints it and exits with ``exit_code``."""

    exit_code = 2


class InvalidOption(VaeCliError):  # noqa: N818  the name says what it is
    """An argument that breaks a rule of a part of the library, which knows no command line.

    Example:
        >>> error = InvalidOption("level", 2, "needs a number at most 1", "Try {level}=0.5.")
        >>> print(error)
        level=2: needs a number at most 1. Try level=0.5.
        >>> print(error.within("objective"))
        objective.level=2: needs a number at most 1. Try objective.level=0.5.

    Args:
        name: Of the argument; empty for the part itself.
        value: What it was.
        rule: What it broke, a clause without a capital: ``needs at least 1``.
        remedy: What to do, a sentence. Names of arguments stand in braces before an ``=``, and
            ``{}`` for the part itself.
    """

    def __init__(self, name: str, value: object, rule: str, remedy: str = "") -> None:
        what = f"{shortened(name)}={as_written(value)}" if name else as_written(value)
        self.name, self.value, self.rule, self.remedy = name, value, rule, remedy
        self.advice = NAME.sub(r"\1", remedy.replace("{}=", ""))  # in Python's words
        super().__init__(f"{what}: {rule.rstrip('.')}. {self.advice}".rstrip())

    def within(self, part: str) -> Self:
        """The same mistake as one of an argument of the whole that the part belongs to."""
        name = f"{part}.{self.name}".rstrip(".")
        return type(self)(name, self.value, self.rule, in_part(part, self.remedy))


def in_part(part: str, remedy: str) -> str:
    """A remedy with the names of a part's options as the whole has them."""
    return NAME.sub(lambda name: f"{{{f'{part}.{name[1]}'.rstrip('.')}}}", remedy)


def build_part(name: str, builder: Callable[..., T], **sizes: Any) -> T:
    """Calls the builder of a part; a mistake in its options has the part's name before theirs."""
    try:
        return builder(**sizes)
    except InvalidOption as error:
        raise error.within(name) from error


class ConfigError(VaeCliError):
    """A value of a configuration that breaks a rule.

    Args:
        key: Where it was set, as on the command line: ``posterior.flow_length``.
        value: What it was set to.
        rule: What it broke, a clause without a capital: ``needs at least 1``.
        remedy: What to do, a sentence: ``Try posterior=diagonal for none.``
    """

    def __init__(self, key: str, value: object, rule: str, remedy: str = "") -> None:
        what = f"{shortened(key)}={as_written(value)}"
        super().__init__(f"{what}: {rule.rstrip('.')}. {remedy}".rstrip())
        self.key, self.value, self.rule, self.remedy = key, value, rule, remedy


class Untrusted(ConfigError):  # noqa: N818  named as InvalidOption is
    """A run names something that no version of this package has."""


class TrainingError(VaeCliError):
    """A run that can't continue, as its loss is NaN, say; ``what`` without the ``remedy``."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what} {remedy}".rstrip())
        self.what, self.remedy = what, remedy


class Interrupted(VaeCliError):  # noqa: N818  named as KeyboardInterrupt is
    """Somebody stopped the run, which can be resumed: EX_TEMPFAIL of sysexits.h, for schedulers."""

    exit_code = 75


class Resumable(KeyboardInterrupt):
    """Somebody stopped a command that resumes there when it is run again."""


class Pruned(VaeCliError):  # noqa: N818  named as its state in a study is
    """A study has ended the run, of which it expects less than of others."""

    exit_code = 76


NOTE = "note: "  # how the line of a Notice begins


class Notice(UserWarning):
    """Something to know that is no mistake; a command prints it as one line."""
