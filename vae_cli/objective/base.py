"""The interface of objectives."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic

from torch import Tensor, nn
from torch.nn import Parameter

from vae_cli.data.batch import Batch
from vae_cli.model.scope import ForModels, M
from vae_cli.number import Number

Loss = tuple[Tensor, dict[str, Tensor]]  # a scalar, and quantities by name, each (B,)


@dataclass(frozen=True)
class Player(Generic[M]):
    """One side of training: the weights that it changes, by its own loss and its own optimizer.

    A VAE has one player. An adversarial model has two: each minimizes its own loss over its own
    weights, and the weights of the other stay as they are meanwhile.

    Attributes:
        name: Tells its curves from those of other players; empty for a single player.
        parameters: What its optimizer changes; no two players share any.
        loss: From the model, a batch and the schedule's weight to a scalar and the reported
            quantities, see ``SingleObjective.forward``.
        steps: Steps of its optimizer on each batch. The draws of each step differ.
    """

    name: str
    parameters: Sequence[Parameter]
    loss: Callable[[M, Batch, float], Loss]
    steps: int = 1


class Objective(nn.Module, ForModels[M], ABC):
    """What training minimizes: a loss for each player.

    Attributes:
        monitor: The reported quantity that selects the best checkpoint and drives early stopping;
            larger is better.
        partial: Quantities that only images with a label have; the other images have NaN.
        term_weights: Weights of further terms of the loss, by name, for the record.
        declares: What the reported quantities are; tables and charts show no others.
        weighs_kl: Whether the loss depends on the schedule's weight.
        reparameterizes: Whether the encoder's gradient comes through the draws of z, which have to
            carry it then (``has_rsample`` of q(z|x)).
        differentiates: Whether the loss contains a derivative of the networks.
        labelled_fraction: Share of each training batch that is images with a label, which then
            come first; None takes the images as they come.
    """

    monitor: str
    partial: frozenset[str] = frozenset()
    term_weights: Mapping[str, float] = {}
    declares: tuple[Number, ...] = ()
    weighs_kl: bool = True
    reparameterizes: bool = False
    differentiates: bool = False
    labelled_fraction: float | None = None

    @abstractmethod
    def players(self, model: M) -> Sequence[Player[M]]:
        """The players, in the order in which they step on each batch."""

    def report(self, model: M, batch: Batch) -> dict[str, Tensor]:
        """What all players report of a batch at weight 1, each quantity ``(B,)``."""
        reported: dict[str, Tensor] = {}
        for player in self.players(model):
            reported |= player.loss(model, batch, 1.0)[1]
        return reported


class SingleObjective(Objective[M]):
    """An objective with one player, which changes all weights.

    Example:
        >>> class Fit(SingleObjective):
        ...     monitor = "fit"
        ...     def forward(self, model, batch, weight):
        ...         fit = model.decode(model.encode(batch).mean).log_prob(batch.x)
        ...         return -fit.mean(), {"fit": fit.detach()}
    """

    @abstractmethod
    def forward(self, model: M, batch: Batch, weight: float) -> Loss:
        """Computes the loss and what is reported with it.

        Args:
            model: The model.
            batch: B images.
            weight: The schedule's value.

        Returns:
            The loss, a scalar (nats an image), and quantities by name, each ``(B,)``: the bound in
            nats, or what stands for it. They do not depend on the weight.
        """

    def players(self, model: M) -> Sequence[Player[M]]:
        """See the base class."""
        return [Player("", [*model.parameters(), *self.parameters()], self)]
