"""Whether training can continue from a checkpoint, found out before anything is written."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.nn import Parameter
from torch.optim import Optimizer

from vae_cli.training.optimizer_state import adopt
from vae_cli.training.recorder import Recorder

LOOP_STEPS = "epoch_loop.manual_optimization.optim_step_progress"  # of Lightning's loops


def check_steps(state: dict[str, Any]) -> None:
    """Checks that a checkpoint's numbers of steps agree.

    Raises:
        ValueError: If they do not.
    """
    steps = state["loops"]["fit_loop"][LOOP_STEPS]["total"]["completed"]
    if steps != state["global_step"] or state.get("validated_at", 0) > steps:
        raise ValueError("its numbers of steps contradict each other")


def check_restores(
    state: dict[str, Any],
    parameters: Iterable[Parameter],
    make_optimizer: Callable[..., Optimizer],
    make_lr_schedule: Callable[..., Any] | None,
) -> None:
    """Loads the state of optimizer, learning rate, curves and callbacks into objects of no use.

    Args:
        state: Of a run's checkpoint; its optimizer's settings become today's.
        parameters: Of the model.
        make_optimizer, make_lr_schedule: As for the training module.

    Raises:
        Exception: Whatever torch and Python raise for a state that is none.
    """
    check_steps(state)
    optimizer = make_optimizer(parameters)
    adopt(state, optimizer, make_lr_schedule)
    (own,) = state["optimizer_states"]
    optimizer.load_state_dict(own)
    if make_lr_schedule is not None:
        for schedule in state["lr_schedulers"]:
            make_lr_schedule(optimizer).load_state_dict(schedule)
    if (recorded := state.get("recorder")) is not None:  # earlier versions kept none
        Recorder(1).load_state_dict(recorded, torch.device("cpu"))
    for callback in state["callbacks"].values():
        numbers = [callback.get("best", 0.0), *callback.get("numbers", {}).values()]
        if not all(isinstance(number, (int, float)) for number in numbers):
            raise ValueError("its best numbers are not numbers")
