"""What a training step leaves behind, kept on the device until it is looked at."""

import math

import torch
from torch import Tensor

from vae_cli.errors import TrainingError

ADVICE = "Try a smaller optimizer.lr, trainer.gradient_clip=100, or accelerator.precision=32-true."


class Recorder:
    """The loss and the reported quantities of the last steps, without waiting for the device.

    Reading a number off a GPU stops it; here that happens once in ``size`` steps.

    Args:
        size: Steps kept.

    Attributes:
        averages: What was read last, by name.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.averages: dict[str, float] = {}
        self.names: list[str] = []
        self.rows: list[Tensor] = []
        self.first_step = 0

    def add(self, step: int, loss: Tensor, reported: dict[str, Tensor]) -> None:
        """Keeps what a step gave."""
        if not self.rows:
            self.first_step, self.names = step, ["loss", *reported]
        means = torch.stack(list(reported.values())).detach().mean(1)
        self.rows.append(torch.cat([loss.detach().view(1), means]))

    @property
    def is_full(self) -> bool:
        """Whether there is something to look at."""
        return len(self.rows) >= self.size

    def read(self) -> tuple[dict[str, float], TrainingError | None]:
        """Averages over the steps kept, and what to say if a number is none. Starts anew."""
        if not self.rows:
            return {}, None
        table = torch.stack(self.rows).cpu()
        self.rows = []
        broken = (~table.isfinite()).nonzero().tolist()
        error = None
        if broken:
            row, step = table[broken[0][0]], self.first_step + broken[0][0]
            # The parts stand behind the loss: name one of them if one is to blame.
            column = max(c for r, c in broken if r == broken[0][0])
            value = "nan" if math.isnan(row[column]) else "infinite"
            error = TrainingError(f"step {step}: train/{self.names[column]} is {value}. {ADVICE}")
        self.averages = dict(zip(self.names, table.mean(0).tolist(), strict=True))
        return self.averages, error
