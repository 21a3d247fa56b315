"""The interface of analyses."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from vae_cli.data.split import Split
from vae_cli.model.scope import ForModels, M
from vae_cli.number import Number


class Analysis(ForModels[M], ABC):
    """Numbers about a model that are no sums over images.

    Attributes:
        declares: What its numbers are; tables show no others.
    """

    declares: tuple[Number, ...] = ()

    @abstractmethod
    def numbers(
        self, model: M, splits: Mapping[str, Split], split: str
    ) -> Mapping[str, float | None]:
        """The numbers, by name; none where the analysis does not apply.

        Args:
            model: In evaluation mode.
            splits: By name, on the model's device.
            split: Name of the one that the numbers are about.
        """
