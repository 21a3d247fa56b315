"""Every energy, with its formula written once more and log Z by another way."""

import math
from collections.abc import Callable
from typing import NamedTuple

from vae_cli.energy.base import Energy
from vae_cli.energy.rezende import ForkedWave, SplitWave, TwoMoons, Wave


class Row(NamedTuple):
    energy: Energy
    formula: Callable[[float, float], float]  # of z_1 and z_2, between the walls
    scales: float | None  # of the Gaussians that it is at any z_1, summed; None where it is none


def w1(x: float) -> float:
    return math.sin(2 * math.pi * x / 4)


def w2(x: float) -> float:
    return 3 * math.exp(-0.5 * ((x - 1) / 0.6) ** 2)


def w3(x: float) -> float:
    return 3 / (1 + math.exp(-(x - 1) / 0.3))


def g(distance: float, scale: float) -> float:
    return math.exp(-0.5 * (distance / scale) ** 2)


ENERGIES = {
    "two_moons": Row(
        TwoMoons(),
        lambda x, y: (
            0.5 * ((math.hypot(x, y) - 2) / 0.4) ** 2 - math.log(g(x - 2, 0.6) + g(x + 2, 0.6))
        ),
        None,
    ),
    "wave": Row(Wave(), lambda x, y: 0.5 * ((y - w1(x)) / 0.4) ** 2, 0.4),
    "forked_wave": Row(
        ForkedWave(), lambda x, y: -math.log(g(y - w1(x), 0.35) + g(y - w1(x) + w2(x), 0.35)), 0.7
    ),
    "split_wave": Row(
        SplitWave(), lambda x, y: -math.log(g(y - w1(x), 0.4) + g(y - w1(x) + w3(x), 0.35)), 0.75
    ),
}
