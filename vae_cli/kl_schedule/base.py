"""What all schedules share."""

from typing import Protocol


class KlSchedule(Protocol):
    """The weight of the KL as a function of the optimizer step, without state."""

    @property
    def settled_at(self) -> int:
        """The step from which the weight no longer changes."""

    def __call__(self, step: int) -> float:
        """The weight at a step, counted from 0."""
