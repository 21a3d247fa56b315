"""A weight that grows to 1."""

import math
from dataclasses import dataclass

from vae_cli.options import Fraction, PositiveInt


@dataclass(frozen=True)
class LinearSchedule:
    r"""KL warm-up: :math:`w_t = \min(1, \mathrm{start} + t / \mathrm{warmup\_steps})`.

    (Bowman et al. 2016, arXiv:1511.06349; Sønderby et al. 2016, arXiv:1602.02282. Rezende &
    Mohamed 2015 use start 0.01 and 10,000 steps.)

    Args:
        start: Weight at step 0.
        warmup_steps: Optimizer steps over which the weight would grow by 1.
    """

    start: Fraction = 0.0
    warmup_steps: PositiveInt = 1

    @property
    def settled_at(self) -> int:
        """The step from which the weight is 1."""
        return math.ceil((1 - self.start) * self.warmup_steps)

    def __call__(self, step: int) -> float:
        """The weight at a step."""
        return min(1.0, self.start + step / self.warmup_steps)
