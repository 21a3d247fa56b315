"""Whether training can continue from a checkpoint, found out before anything is written."""

from typing import Any

import torch

from vae_cli.training.experiment import Experiment
from vae_cli.training.optimizer_state import adopt, optimizers_of
from vae_cli.training.recorder import Recorder

LOOP_STEPS = "epoch_loop.manual_optimization.optim_step_progress"  # of Lightning's loops


def check_steps(state: dict[str, Any]) -> None:
    """Checks that a checkpoint's numbers of steps agree."""
    steps = state["loops"]["fit_loop"][LOOP_STEPS]["total"]["completed"]
    if steps != state["global_step"] or state.get("validated_at", 0) > steps:
        raise ValueError("its numbers of steps contradict each other")


def check_restores(state: dict[str, Any], experiment: Experiment) -> None:
    """Loads the state of optimizers, learning rates, curves and callbacks into throwaway objects.

    Args:
        state: Of a run's checkpoint; its optimizers' settings become today's.
        experiment: The run that is to continue from it.

    Raises:
        Exception: Whatever torch and Python raise for a malformed state.
    """
    check_steps(state)
    players = experiment.objective.players(experiment.model)
    optimizers = optimizers_of(players, experiment.make_optimizer)
    adopt(state, optimizers, experiment.make_lr_schedule)
    for optimizer, own in zip(optimizers, state["optimizer_states"], strict=True):
        optimizer.load_state_dict(own)
    if experiment.make_lr_schedule is not None:
        for optimizer, schedule in zip(optimizers, state["lr_schedulers"], strict=False):
            experiment.make_lr_schedule(optimizer).load_state_dict(schedule)
    if (recorded := state.get("recorder")) is not None:  # earlier versions kept none
        Recorder(1).load_state_dict(recorded, torch.device("cpu"))
    for callback in state["callbacks"].values():
        numbers = [callback.get("best", 0.0), *callback.get("numbers", {}).values()]
        if not all(isinstance(number, (int, float)) for number in numbers):
            raise ValueError("its best values are not numbers")
