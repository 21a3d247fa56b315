"""What a search goes through: Hydra's grammar of several values, in Optuna's terms."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, cast

from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from vae_cli.errors import ConfigError

LOG = "log"  # Hydra's tag for a range in which each factor counts alike


class Space(NamedTuple):
    """The keys of a sweep.

    Attributes:
        distributions: Of those that are searched.
        fixed: Overrides for the others.
    """

    distributions: Mapping[str, BaseDistribution]
    fixed: Sequence[str]

    def overrides(self, params: Mapping[str, Any]) -> list[str]:
        """What a job is given."""
        return [*self.fixed, *(f"{key}={value}" for key, value in params.items())]

    def settings(self, params: Mapping[str, Any]) -> list[str]:
        """What a job's name says."""
        return [f"{key}={_short(value)}" for key, value in params.items()]


def space_of(choices: Sequence[Override]) -> Space:
    """The keys with several values, and the others.

    Args:
        choices: Every key with its value or values.

    Raises:
        ConfigError: If no key has several values, or if some can't be searched.
    """
    distributions = {
        choice.get_key_element(): _distribution(choice)
        for choice in choices if choice.is_sweep_override()
    }  # fmt: skip
    if all(distribution.single() for distribution in distributions.values()):
        remedy = "Try 'optimizer.lr=tag(log,interval(1e-4,1e-2))'."
        raise ConfigError("sweep", "optuna", "there is no key with several values", remedy)
    fixed = [str(choice.input_line) for choice in choices if not choice.is_sweep_override()]
    return Space(distributions, fixed)


def _distribution(choice: Override) -> BaseDistribution:
    try:
        if choice.is_choice_sweep():
            return CategoricalDistribution(list(dict.fromkeys(choice.sweep_string_iterator())))
        if choice.is_range_sweep():
            return _of_range(cast(RangeSweep, choice.value()))
        interval = cast(IntervalSweep, choice.value())
        log = LOG in interval.tags
        if isinstance(interval.start, int):  # int(interval(...))
            return IntDistribution(interval.start, cast(int, interval.end), log)
        return FloatDistribution(cast(float, interval.start), cast(float, interval.end), log)
    except ValueError as error:
        message = " ".join(str(error).replace("`", "").split())
        raise ConfigError(choice.get_key_element(), choice.get_value_string(), message) from error


def _of_range(given: RangeSweep) -> BaseDistribution:
    values, log = list(given.range()), LOG in given.tags
    low, high = min(values), max(values)
    if log and given.step != 1:
        raise ValueError("a log scale has no steps. Try interval")
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log, abs(cast(int, given.step)))
    # As written: the last value is otherwise 0.30000000000000004, which no step leads to.
    step = abs(Decimal(str(given.step)))
    high = float(Decimal(str(low)) + (len(values) - 1) * step)
    return FloatDistribution(low, high, step=float(step))


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
