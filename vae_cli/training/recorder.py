"""The numbers of training steps, kept on the device until they are read."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

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
        curves: What was logged last, by tag.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.averages: dict[str, float] = {}
        self.curves: dict[str, float] = {}
        self.names: list[str] = []
        self.rows: list[Tensor] = []
        self.gradients: list[Tensor] = []
        self.first_step = 0

    def add(
        self,
        step: int,
        losses: Mapping[str, Tensor],
        reported: Mapping[str, Tensor],
        partial: frozenset[str] = frozenset(),
        gradient: Tensor | None = None,
    ) -> None:
        """Keeps the numbers of a step.

        Args:
            step: Of training.
            losses: Scalars, by name.
            reported: Quantities by name, each ``(B,)``.
            partial: Which of them only some images have; the others have NaN.
            gradient: The norm of the gradient.
        """
        if not self.rows:
            self.first_step, self.names = step, [*losses, *reported]
        self.rows.append(_row(losses, reported, partial))
        if gradient is not None:
            self.gradients.append(gradient.detach())

    @property
    def is_full(self) -> bool:
        """Whether there is something to look at."""
        return len(self.rows) >= self.size

    def read(self) -> tuple[dict[str, float], TrainingError | None]:
        """Averages over the steps kept, and the error of one that is not finite; forgets them."""
        if not self.rows:
            return {}, None
        table, gradients = self._table()
        self.rows, self.gradients = [], []
        error = self._first_error(table, gradients)
        self.averages = dict(zip(self.names, table.mean(0).tolist(), strict=True))
        return self.averages, error

    def check(self) -> TrainingError | None:
        """The error if a number is not finite; the steps stay."""
        return self._first_error(*self._table()) if self.rows else None

    def _table(self) -> tuple[Tensor, Sequence[Tensor | None]]:
        table = torch.stack(self.rows).cpu()
        return table, [*torch.stack(self.gradients).cpu()] if self.gradients else [None] * len(
            table
        )

    def _first_error(
        self, table: Tensor, gradients: Sequence[Tensor | None]
    ) -> TrainingError | None:
        steps = zip(itertools.count(self.first_step), table, gradients, strict=False)
        found = (_error_of(step, self.names, row, gradient) for step, row, gradient in steps)
        return next(filter(None, found), None)

    def state_dict(self) -> dict[str, Any]:
        """What is kept, for a checkpoint: curves do not depend on when there was one."""
        return {
            "names": self.names,
            "first_step": self.first_step,
            "rows": [row.cpu() for row in self.rows],
            "gradients": [gradient.cpu() for gradient in self.gradients],
        }

    def load_state_dict(self, state: dict[str, Any], device: torch.device) -> None:
        """Continues from a state, on a device.

        Raises:
            ValueError: If the state is not one of a recorder.
        """
        rows, gradients, width = state["rows"], state["gradients"], (len(state["names"]),)
        is_whole = all(row.shape == width for row in rows) and all(g.dim() == 0 for g in gradients)
        if not is_whole or len(gradients) not in (0, len(rows)):
            raise ValueError("its record of the last steps is damaged")
        self.names, self.first_step = list(map(str, state["names"])), int(state["first_step"])
        self.rows = [row.to(device) for row in state["rows"]]
        self.gradients = [gradient.to(device) for gradient in state["gradients"]]


def error_in(
    step: int,
    losses: Mapping[str, Tensor],
    reported: Mapping[str, Tensor],
    partial: frozenset[str],
) -> TrainingError:
    """The error of one step whose loss or gradient is NaN or infinite."""
    row = _row(losses, reported, partial).cpu()
    error = _error_of(step, [*losses, *reported], row, torch.full((), math.nan))
    assert error is not None  # the gradient is NaN
    return error


def _error_of(
    step: int, names: Sequence[str], row: Tensor, gradient: Tensor | None
) -> TrainingError | None:
    """The error of a step with a number that is NaN or infinite; None where all are finite."""
    if bool(row.isfinite().all()) and (gradient is None or bool(gradient.isfinite())):
        return None
    broken = (~row.isfinite()).nonzero().flatten().tolist()
    # The parts come after the loss, so the error names a part where there is one.
    name = f"train/{names[broken[-1]]}" if broken else "the gradient"
    value = gradient if gradient is not None and not broken else row[broken[-1]]
    word = "nan" if math.isnan(value) else "infinite"
    return TrainingError(f"step {step}: {name} is {word}.", ADVICE)


def _row(
    losses: Mapping[str, Tensor], reported: Mapping[str, Tensor], partial: frozenset[str]
) -> Tensor:
    """The losses and the means of the reported quantities, in one tensor on their device."""
    table = torch.stack(list(reported.values())).detach()
    means = table.mean(1)
    if partial:  # row by row: a mask would be copied to the device at every step
        rows = zip(reported, means, table.nanmean(1), strict=True)
        means = torch.stack([some if name in partial else all_ for name, all_, some in rows])
    return torch.cat([torch.stack([*losses.values()]).detach(), means])


def merged(states: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The state of all processes' recorders, any of which may resume from it.

    Args:
        states: Of each, whose batches are equally large.
    """
    rows = zip(*(state["rows"] for state in states), strict=True)
    return {**states[0], "rows": [torch.stack(row).mean(0) for row in rows]}
