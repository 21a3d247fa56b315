"""An optimizer's state from a checkpoint, under today's settings."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from vae_cli.objective.base import Player

# Of a learning-rate schedule what says how far it is; the rest are settings.
LENGTH = "T_max"  # torch's name for the steps of a schedule that has an end
PROGRESS = ("last_epoch", "_step_count", "_last_lr", "base_lrs", "_is_initial")


def optimizers_of(
    players: Sequence[Player[Any]], make_optimizer: Callable[[Sequence[Parameter]], Optimizer]
) -> list[Optimizer]:
    """An optimizer for each player, over its parameters."""
    return [make_optimizer(player.parameters) for player in players]


def adopt(
    checkpoint: dict[str, Any],
    fresh: Sequence[Optimizer],
    make_lr_schedule: Callable[[Optimizer], LRScheduler] | None,
) -> None:
    """Changes a checkpoint so that its optimizers follow today's settings.

    torch keeps settings with the state: a learning rate given to a resumed run would be
    overwritten by that of the checkpoint. Moments stay, and so does how far a schedule has come; a
    new learning rate scales what the schedule has made of the old one. A schedule of the run's
    length continues as if the run had had today's length from its start. The state of an optimizer
    of another kind is of no use: the new one starts afresh.

    Args:
        checkpoint: As Lightning has loaded it; changed in place.
        fresh: An optimizer of today's settings for each player.
        make_lr_schedule: Makes a schedule; None where the learning rate is constant.

    Raises:
        ValueError: If a moment does not have its parameter's shape (a fused kernel does not look),
            or there are more or fewer optimizers.
    """
    kind = type(fresh[0]).__qualname__
    if checkpoint.get("optimizer", kind) != kind:
        checkpoint["optimizer_states"] = [optimizer.state_dict() for optimizer in fresh]
        checkpoint["lr_schedulers"] = []
        return
    schedules = checkpoint["lr_schedulers"] or [None] * len(fresh)
    states = zip(checkpoint["optimizer_states"], schedules, fresh, strict=True)
    for state, schedule, optimizer in states:
        _adopt_settings(state, schedule, optimizer)
        if make_lr_schedule is not None and schedule is not None:
            _follow_length(schedule, state["param_groups"], make_lr_schedule(optimizer))
    checkpoint["lr_schedulers"] = [
        {name: value for name, value in schedule.items() if name in PROGRESS}
        for schedule in checkpoint["lr_schedulers"]
    ]


def _adopt_settings(
    state: dict[str, Any], schedule: dict[str, Any] | None, fresh: Optimizer
) -> None:
    """Puts today's settings into an optimizer's state and its schedule's; both change in place."""
    _check_moments(state["state"], [p for group in fresh.param_groups for p in group["params"]])
    for saved, today in zip(state["param_groups"], fresh.param_groups, strict=True):
        factor = today["lr"] / saved.get("initial_lr", saved["lr"])
        settings = {k: v for k, v in today.items() if k not in ("params", "lr", "initial_lr")}
        saved.update(settings)
        if factor == 1:
            continue
        saved["lr"] *= factor
        if "initial_lr" in saved:
            saved["initial_lr"] = today["lr"]
        if schedule is not None:
            for name in ("base_lrs", "_last_lr"):
                schedule[name] = [rate * factor for rate in schedule[name]]


def _follow_length(saved: dict[str, Any], groups: Sequence[dict[str, Any]], today: Any) -> None:
    """Puts the learning rate where a schedule of another length has it at this step.

    torch goes from one rate to the next, and a cosine at its end would stay there.

    Args:
        saved: The schedule's state; changed in place.
        groups: Of the optimizer's state; changed in place.
        today: The schedule of today's settings.
    """
    if saved.get(LENGTH) is None or getattr(today, LENGTH, saved[LENGTH]) == saved[LENGTH]:
        return
    today.load_state_dict({name: saved[name] for name in PROGRESS if name in saved})
    saved["_last_lr"] = today._get_closed_form_lr()
    for group, rate in zip(groups, saved["_last_lr"], strict=True):
        group["lr"] = rate


def _check_moments(state: dict[int, dict[str, Any]], parameters: Sequence[Tensor]) -> None:
    for index, moments in state.items():
        for name, value in moments.items():
            shape = () if name == "step" else parameters[index].shape
            if not (value.shape == shape and value.is_floating_point()):
                raise ValueError(f"its optimizer's {name} does not fit its parameter")
