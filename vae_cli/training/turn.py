"""One step of one player's optimizer, within a step of training."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from pytorch_lightning.core.optimizer import LightningOptimizer
from pytorch_lightning.plugins.precision import MixedPrecision
from pytorch_lightning.strategies import Strategy
from torch import Tensor
from torch.amp import GradScaler
from torch.nn import Parameter

from vae_cli.objective.base import Player


class Turn(NamedTuple):
    """A player's step.

    It goes past Lightning's own ``manual_backward`` and ``step``, which call three hooks of every
    callback: a quarter of a small model's step, and no callback here has any of them.

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

    @property
    def scaler(self) -> GradScaler | None:
        """What keeps the gradients of 16-mixed in the range of their format."""
        plugin = self.strategy.precision_plugin
        return plugin.scaler if isinstance(plugin, MixedPrecision) else None

    def compute_gradients(self, loss: Tensor) -> None:
        """Replaces the gradients of the player's parameters by those of the loss."""
        for parameter in self.player.parameters:
            parameter.grad = None
        scaler = self.scaler
        self.strategy.pre_backward(loss)
        (loss if scaler is None else scaler.scale(loss)).backward()
        self.strategy.post_backward(loss)

    def take_step(self, gradient_clip: float | None) -> list[Tensor]:
        """Steps the optimizer. Only the last turn counts as a step of training.

        Args:
            gradient_clip: Largest norm of the gradient; None leaves it.

        Returns:
            The norm of the watched gradients before clipping, in a list; empty without gradients
            and in 16-mixed.
        """
        scaler, optimizer = self.scaler, self.optimizer.optimizer
        # In 16-mixed infinite gradients are how the scale is found, and such steps are skipped.
        norms = self.gradient_norm() if scaler is None else []
        if scaler is not None and gradient_clip is not None:
            scaler.unscale_(optimizer)
        if gradient_clip is not None:
            torch.nn.utils.clip_grad_norm_(self.player.parameters, gradient_clip)
        if self.is_last:
            self.optimizer._on_before_step()
        if scaler is None:
            optimizer.step()
        else:
            scaler.step(optimizer)
            scaler.update()
        if self.is_last:
            self.optimizer._on_after_step()
        return norms

    def gradient_norm(self) -> list[Tensor]:
        """The sum of the norms of the watched gradients, in a list; empty without gradients."""
        gradients = [p.grad for p in self.watched if p.grad is not None]
        return [torch.stack(torch._foreach_norm(gradients)).sum()] if gradients else []


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
