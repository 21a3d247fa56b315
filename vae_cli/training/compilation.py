"""Losses compiled by torch: fewer and larger operations, after a wait at the first step."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch

from vae_cli.data.batch import Batch
from vae_cli.errors import InvalidOption, TrainingError
from vae_cli.model.base import Model
from vae_cli.objective.base import Loss, Objective, Player


def check_compile(objective: Objective[Any]) -> None:
    """Raises InvalidOption where the losses of an objective can't be compiled."""
    if objective.differentiates:
        rule = f"torch can't compile a loss with a derivative in it ({type(objective).__name__})"
        raise InvalidOption("compile", True, rule, "Try {compile}=false.")
    from torch._inductor.cpp_builder import get_cpp_compiler  # takes a second to import
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler as error:
        rule, remedy = "needs a C++ compiler", "Install g++, or try {compile}=false."
        raise InvalidOption("compile", True, rule, remedy) from error


class CompiledLoss:
    """A player's loss, compiled.

    Its draws are those of the loss itself, so results differ by rounding only.

    Args:
        loss: Of the player.

    Raises:
        TrainingError: When it is called, if torch can't compile it.
    """

    def __init__(self, loss: Callable[[Any, Batch, float], Loss]) -> None:
        self._compiled = torch.compile(loss, options={"fallback_random": True})

    def __call__(self, model: Model, batch: Batch, weight: float) -> Loss:
        """The loss and the reported quantities."""
        from torch._dynamo.exc import TorchDynamoException

        try:
            return self._compiled(model, batch, weight)
        except TorchDynamoException as error:
            reason = " ".join(str(error).split())[:120]
            what = f"trainer.compile=true: torch can't compile the loss ({reason})."
            raise TrainingError(what, "Try trainer.compile=false.") from error


def compiled(players: Sequence[Player[Any]]) -> list[Player[Any]]:
    """The same players with compiled losses."""
    return [replace(player, loss=CompiledLoss(player.loss)) for player in players]
