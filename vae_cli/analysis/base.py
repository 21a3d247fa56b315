"""The interface of analyses."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from vae_cli.data.split import Split
from vae_cli.model.base import Model
from vae_cli.number import Number


class Analysis(ABC):
    """Numbers about a model that are no sums over images.

    Attributes:
        model_class: Of which models it says something.
        declares: What its numbers are; tables show no others.
    """

    model_class: type[Model] = Model
    declares: tuple[Number, ...] = ()

    @abstractmethod
    def numbers(
        self, model: Model, splits: Mapping[str, Split], split: str
    ) -> Mapping[str, float | None]:
        """The numbers, by name; none where the analysis does not apply.

        Args:
            model: In evaluation mode.
            splits: By name, on the model's device.
            split: Name of the one that the numbers are about.
        """
