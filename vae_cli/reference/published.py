"""Numbers that somebody has published, to hold runs against."""

from collections.abc import Mapping


class Published:
    """A publication's numbers on one dataset, treated in one way.

    Args:
        source: Where they stand, and what is to be known of them.
        data, binarize, dequantize: The treatment, as a run's configuration has it.
        rows: By the name of the setting: numbers as vae-eval names them, those in nats the higher
            the better; with ``_se`` behind the name their standard errors.

    Attributes:
        treatment: The three of them, by name.
    """

    def __init__(
        self,
        source: str,
        data: str,
        binarize: str,
        rows: Mapping[str, Mapping[str, float]],
        dequantize: bool = False,
    ) -> None:
        self.source, self.rows = source, rows
        self.treatment = {"data": data, "binarize": binarize, "dequantize": dequantize}
