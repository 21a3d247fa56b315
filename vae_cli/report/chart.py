"""Curves as shapes on a plane; the page's template draws them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from vae_cli.report.curves import Curve

WIDTH, HEIGHT = 560, 300  # of a chart, in its own units
LEFT, RIGHT, TOP, BOTTOM = 84, 12, 14, 38  # margins
BEGINNING = 0.05  # share of the steps that does not count for the height: losses fall from afar
POINTS = 400  # drawn of a curve, at most
POINTS_OF_ALL = 20_000  # … of all curves of a chart together, about
TICKS = 5  # of an axis, about
TINY = 1e-300  # a difference too small to show
LONG = 1e9  # from which a number is shown by its first digits


@dataclass(frozen=True)
class Series:
    """A curve with its place in the legend.

    Attributes:
        run: Its run, by a short name; empty where there is only one.
        part: The images that it is of.
        color: Its number among the page's colours.
        is_dashed: Whether it is drawn so: training beside validation.
    """

    run: str
    part: str
    color: int
    is_dashed: bool
    curve: Curve

    @property
    def label(self) -> str:
        """What it is."""
        return f"{self.run} {self.part}".strip()


class LegendEntry(NamedTuple):
    """An entry of a legend; one without a colour tells how the lines of all runs are drawn."""

    label: str
    color: int | None
    is_dashed: bool


@dataclass(frozen=True)
class Line:
    """A series as drawn."""

    series: Series
    points: str  # of an SVG polyline
    last: str  # the last value
    range: str  # the lowest and the highest value


@dataclass(frozen=True)
class Chart:
    """Curves over one pair of axes.

    Attributes:
        title, unit: Of what is drawn.
        series: What is drawn.
    """

    title: str
    unit: str
    series: Sequence[Series]
    lines: list[Line] = field(init=False)
    x_ticks: list[tuple[float, str]] = field(init=False)  # positions and labels
    y_ticks: list[tuple[float, str]] = field(init=False)
    is_cut: bool = field(init=False)  # whether a beginning lies outside
    is_thinned: bool = field(init=False)  # whether it is for there being many curves

    def __post_init__(self) -> None:
        last_step = max(s.curve.steps[-1] for s in self.series)
        low, high, is_cut = _heights(self.series, BEGINNING * last_step)
        set_once = object.__setattr__  # frozen, and these follow from the rest
        set_once(self, "is_cut", is_cut)
        set_once(self, "x_ticks", [(_x(t, last_step), _label(t)) for t in _ticks(0, last_step)])
        set_once(self, "y_ticks", [(_y(t, low, high), _label(t)) for t in _ticks(low, high)])
        points = min(POINTS, max(2, POINTS_OF_ALL // len(self.series)))
        longest = max(len(s.curve.steps) for s in self.series)
        set_once(self, "is_thinned", points < min(POINTS, longest))
        set_once(self, "lines", [_line(s, last_step, low, high, points) for s in self.series])


def legend(charts: Sequence[Chart]) -> list[LegendEntry]:
    """What the colours and strokes of all charts of a page stand for, each once."""
    found: dict[LegendEntry, None] = {}
    for series in (series for chart in charts for series in chart.series):
        if series.run:
            found[LegendEntry(series.run, series.color, False)] = None
        color = None if series.run else series.color
        found[LegendEntry(series.part, color, series.is_dashed)] = None
    return sorted(found, key=lambda key: key.color is None)


def _heights(series: Sequence[Series], beginning: float) -> tuple[float, float, bool]:
    """The lowest and highest value to show, and whether a beginning is outside."""
    everything = [v for s in series for v in s.curve.values]
    late = [
        v
        for s in series
        for step, v in zip(s.curve.steps, s.curve.values, strict=True)
        if step > beginning
    ] or everything
    low, high = min(late), max(late)
    low = 0.0 if 0 <= low < high / 2 else low  # a count is seen from nothing up
    margin = 0.06 * (high - low) or 0.5 * abs(high) or 1.0
    low, high = low - margin, high + margin
    return low, high, min(everything) < low or max(everything) > high


def _line(series: Series, last_step: int, low: float, high: float, most: int) -> Line:
    steps, values = series.curve
    stride = -(-len(steps) // most)
    kept = [*range(0, len(steps) - 1, stride), len(steps) - 1]
    points = " ".join(f"{_x(steps[i], last_step):.1f},{_y(values[i], low, high):.1f}" for i in kept)
    extent = f"{precise(min(values))} … {precise(max(values))}"
    return Line(series, points, precise(values[-1]), extent)


def _x(step: float, last_step: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * step / max(last_step, 1)


def _y(value: float, low: float, high: float) -> float:
    share = (value - low) / (high - low)
    # Far outside, renderers differ in what they make of a number.
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - min(max(share, -10.0), 10.0))


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between two: multiples of 1, 2 or 5 times a power of ten."""
    if high - low < TINY:
        return [low]
    raw = (high - low) / TICKS
    power = 10 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    return [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _label(value: float) -> str:
    return f"{value:,.0f}" if 1000 <= abs(value) < LONG else f"{value:.4g}"


def precise(value: float) -> str:
    """A number with as many digits as are worth reading."""
    return f"{value:,.1f}" if 1000 <= abs(value) < LONG else f"{value:.4g}"
