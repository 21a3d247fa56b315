"""An optimizer's state from a checkpoint, under today's settings."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

# Of a learning-rate schedule what says how far it is; the rest are settings.
LENGTH = "T_max"  # torch's name for the steps of a schedule that has an end
PROGRESS = ("last_epoch", "_step_count", "_last_lr", "base_lrs", "_is_initial")


def adopt(
    checkpoint: dict[str, Any],
    fresh: Optimizer,
    make_lr_schedule: Callable[[Optimizer], LRScheduler] | None,
) -> None:
    """Changes a checkpoint so that what is loaded of it follows today's settings.

    torch keeps settings with the state: a learning rate given to a run that goes on would be
    overwritten by that of the checkpoint. Moments stay, and so does how far a schedule has come; a
    new learning rate scales what the schedule has made of the old one. A schedule of the run's
    length goes on as if the run had had today's length from its start. The state of an optimizer
    of another kind is of no use: there the new one starts anew.

    Args:
        checkpoint: As Lightning has loaded it; changed in place.
        fresh: An optimizer of today's settings, over the model's parameters.
        make_lr_schedule: Makes its schedule; None where its learning rate is constant.

    Raises:
        ValueError: If a moment does not have its parameter's shape: a fused kernel does not look.
    """
    if checkpoint.get("optimizer", type(fresh).__qualname__) != type(fresh).__qualname__:
        checkpoint["optimizer_states"] = [fresh.state_dict()]
        checkpoint["lr_schedulers"] = []
        return
    (state,) = checkpoint["optimizer_states"]
    _check_moments(state["state"], [p for group in fresh.param_groups for p in group["params"]])
    for saved, today in zip(state["param_groups"], fresh.param_groups, strict=True):
        before = saved.get("initial_lr", saved["lr"])
        factor = today["lr"] / before
        settings = {k: v for k, v in today.items() if k not in ("params", "lr", "initial_lr")}
        saved.update(settings)
        if factor != 1:
            saved["lr"] *= factor
            if "initial_lr" in saved:
                saved["initial_lr"] = today["lr"]
            for schedule in checkpoint["lr_schedulers"]:
                for name in ("base_lrs", "_last_lr"):
                    schedule[name] = [rate * factor for rate in schedule[name]]
    if make_lr_schedule is not None:
        now = make_lr_schedule(fresh)
        for schedule in checkpoint["lr_schedulers"]:
            _follow_length(schedule, state["param_groups"], now)
    checkpoint["lr_schedulers"] = [
        {name: value for name, value in schedule.items() if name in PROGRESS}
        for schedule in checkpoint["lr_schedulers"]
    ]


def _follow_length(saved: dict[str, Any], groups: Sequence[dict[str, Any]], today: Any) -> None:
    """Puts the learning rate where a schedule of another length has it at this step.

    torch goes from one rate to the next, and a cosine that has come to its end would stay there.

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
