"""A weight that grows to 1 again and again."""

import math
from dataclasses import dataclass
from typing import Annotated

from vae_cli.options import Above, AtMost, PositiveInt


@dataclass(frozen=True)
class CyclicalSchedule:
    """Cyclical annealing: within each cycle the weight grows from 0 to 1, then stays.

    (Fu et al. 2019, arXiv:1903.10145, equation 6.) After the last cycle it stays 1.

    Args:
        cycle_steps: Optimizer steps in one cycle.
        cycles: Number of cycles.
        ratio: The part of a cycle in which the weight grows.
    """

    cycle_steps: PositiveInt = 1
    cycles: PositiveInt = 4
    ratio: Annotated[float, Above(0), AtMost(1)] = 0.5

    @property
    def settled_at(self) -> int:
        """The step at which the last cycle has grown to 1."""
        return (self.cycles - 1) * self.cycle_steps + math.ceil(self.ratio * self.cycle_steps)

    def __call__(self, step: int) -> float:
        """The weight at a step."""
        if step >= self.cycles * self.cycle_steps:
            return 1.0
        return min(1.0, step % self.cycle_steps / (self.ratio * self.cycle_steps))
