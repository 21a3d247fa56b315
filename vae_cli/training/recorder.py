"""The numbers of training steps, kept on the device until they are read."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from vae_cli.errors import TrainingError

ADVICE = "Try a smaller optimizer.lr, trainer.gradient_clip=100, or accelerator.precision=32-true."


Step = tuple[list[Tensor], list[Tensor]]  # losses, and reported quantities (B,)


class Recorder:
    """The loss and the reported quantities of the last steps, without waiting for the device.

    Reading a number off a GPU stops it, and averages cost several small operations; here both
    happen once in ``size`` steps.

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
        self.rows: list[Tensor] = []  # of the first steps kept, averaged
        self._steps: list[Step] = []  # of the others
        self.partial: frozenset[str] = frozenset()
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
        if not len(self):
            self.first_step, self.names = step, [*losses, *reported]
        self.partial = partial
        self._steps.append(
            ([loss.detach() for loss in losses.values()], [r.detach() for r in reported.values()])
        )
        if gradient is not None:
            self.gradients.append(gradient.detach())

    def __len__(self) -> int:
        return len(self.rows) + len(self._steps)

    @property
    def is_full(self) -> bool:
        """Whether there is something to look at."""
        return len(self) >= self.size

    def read(self) -> tuple[dict[str, float], TrainingError | None]:
        """Averages over the steps kept, and the error of one that is not finite; forgets them."""
        if not len(self):
            return {}, None
        table, gradients = self._table()
        self.rows, self.gradients = [], []
        error = self._first_error(table, gradients)
        self.averages = dict(zip(self.names, table.mean(0).tolist(), strict=True))
        return self.averages, error

    def check(self) -> TrainingError | None:
        """The error if a number is not finite; the steps stay."""
        return self._first_error(*self._table()) if len(self) else None

    def _average(self) -> None:
        """Turns the steps into rows."""
        if self._steps:
            self.rows += _rows(self._steps, self.names, self.partial).unbind()
            self._steps = []

    def _table(self) -> tuple[Tensor, Sequence[Tensor | None]]:
        self._average()
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
        self._average()
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
        self.rows, self._steps = [row.to(device) for row in state["rows"]], []
        self.gradients = [gradient.to(device) for gradient in state["gradients"]]


def error_in(
    step: int,
    losses: Mapping[str, Tensor],
    reported: Mapping[str, Tensor],
    partial: frozenset[str],
) -> TrainingError:
    """The error of one step whose loss or gradient is NaN or infinite."""
    names = [*losses, *reported]
    row = _rows([([*losses.values()], [*reported.values()])], names, partial)[0].cpu()
    error = _error_of(step, names, row, torch.full((), math.nan))
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


def _rows(steps: Sequence[Step], names: Sequence[str], partial: frozenset[str]) -> Tensor:
    """The losses of steps and the means of what they report: a row a step, on their device.

    Args:
        steps: With batches of one size.
        names: Of the losses, then of the reported quantities.
        partial: As of ``Recorder.add``.
    """
    losses = torch.stack([torch.stack(own) for own, _ in steps]).detach()
    values = torch.stack([torch.stack(own) for _, own in steps]).detach()  # (steps, K, B)
    means = values.mean(-1)
    if partial:
        is_partial = [name in partial for name in names[losses.shape[1] :]]
        means = torch.where(
            torch.tensor(is_partial, device=means.device), values.nanmean(-1), means
        )
    return torch.cat([losses, means], 1)


def merged(states: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The state of all processes' recorders, any of which may resume from it.

    Args:
        states: Of each, whose batches are equally large.
    """
    rows = zip(*(state["rows"] for state in states), strict=True)
    return {**states[0], "rows": [torch.stack(row).mean(0) for row in rows]}
