"""A weight that never changes."""

from dataclasses import dataclass

from vae_cli.options import NonNegativeFloat


@dataclass(frozen=True)
class ConstantSchedule:
    """The same weight at every step.

    Args:
        weight: 1 is the bound; other weights are the beta of beta-VAE (Higgins et al. 2017).
    """

    weight: NonNegativeFloat = 1.0
    settled_at = 0

    def __call__(self, step: int) -> float:
        """The weight at a step."""
        return self.weight
