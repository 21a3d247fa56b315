"""One step of one player's optimizer, within a step of training."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from pytorch_lightning.core.optimizer import LightningOptimizer
from pytorch_lightning.strategies import Strategy
from torch import Tensor
from torch.nn import Parameter

from vae_cli.objective.base import Player


class Turn(NamedTuple):
    """A player's step.

    Attributes:
        number: Its position among the turns of a step of training.
        player: Whose step it is.
        optimizer: The player's.
        strategy: Lightning's.
        is_last: Whether it completes the step of training, which Lightning then counts.
        watched: Parameters whose gradients are measured.
    """

    number: int
    player: Player[Any]
    optimizer: LightningOptimizer
    strategy: Strategy
    is_last: bool
    watched: Sequence[Parameter]

    @property
    def loss_name(self) -> str:
        """The name of the loss curve."""
        return f"{self.player.name}_loss" if self.player.name else "loss"

    def gradient_norm(self) -> list[Tensor]:
        """The sum of the norms of the watched gradients, in a list; empty without gradients."""
        gradients = [p.grad for p in self.watched if p.grad is not None]
        return [torch.stack(torch._foreach_norm(gradients)).sum()] if gradients else []

    def take_step(self) -> None:
        """Steps the optimizer. Only the last turn counts as a step of training."""
        if self.is_last:
            self.optimizer.step()
        else:
            self.strategy.optimizer_step(self.optimizer.optimizer, lambda: None)


def turns_of(players: Sequence[Player[Any]], strategy: Strategy) -> list[Turn]:
    """The turns of a step of training, in order.

    Args:
        players: Of the objective.
        strategy: Lightning's, with the optimizer of each player.
    """
    each = [
        (player, optimizer)
        for player, optimizer in zip(players, strategy._lightning_optimizers, strict=True)
        for _ in range(player.steps)
    ]
    return [
        Turn(n, player, optimizer, strategy, n == len(each) - 1, _watched(player.parameters))
        for n, (player, optimizer) in enumerate(each)
    ]


def _watched(parameters: Sequence[Parameter]) -> list[Parameter]:
    """The biases: a NaN anywhere on the way back through the networks reaches these few."""
    vectors = [p for p in parameters if p.requires_grad and p.ndim == 1]
    return vectors or list(parameters)
