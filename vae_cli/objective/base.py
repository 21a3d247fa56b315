"""The interface of objectives."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor, nn

from vae_cli.data.batch import Batch
from vae_cli.model.base import Model
from vae_cli.number import Number


class Objective(nn.Module, ABC):
    """Reduces a model's terms to the loss that is minimised.

    Attributes:
        monitor: Which of the returned quantities, larger being better, the best checkpoint and
            early stopping follow.
        partial: Which of them only some images have, those with a label; the others have NaN.
        term_weights: What terms of the loss weigh beside the bound, for the record, by name.
        model_class: Of which models it reduces the terms.
        declares: What the returned quantities are; tables and charts show no others.
        weighs_kl: Whether the schedule's weight has a part in the loss.
        labelled_fraction: Which share of each training batch is images with a label, which then
            come first; None takes the images as they come.
    """

    monitor: str
    partial: frozenset[str] = frozenset()
    term_weights: Mapping[str, float] = {}
    model_class: type[Model] = Model
    declares: tuple[Number, ...] = ()
    weighs_kl: bool = True
    labelled_fraction: float | None = None

    @abstractmethod
    def forward(
        self, model: Model, batch: Batch, weight: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss and what is reported beside it.

        Args:
            model: The model.
            batch: B images.
            weight: The schedule's value.

        Returns:
            The loss, a scalar (nats an image), and quantities by name, each ``(B,)``, the bound or
            what else stands for log p(x) in nats, that do not depend on the weight.
        """
