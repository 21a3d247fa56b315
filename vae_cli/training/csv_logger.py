"""Training curves as a table."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import CSVLogger
from pytorch_lightning.loggers.csv_logs import ExperimentWriter
from pytorch_lightning.loggers.logger import rank_zero_experiment

from vae_cli.files import UnsafeFile
from vae_cli.training.metrics_table import read_rows, step_of


class CurveTable(CSVLogger):
    """Lightning's ``metrics.csv``, which a run that goes on adds to instead of beginning it anew.

    Rows of steps that are taken again, after the last checkpoint, make way for the new ones.

    Args:
        save_dir: Folder of the table.
        name, version: Of folders within; empty for none.
    """

    def __init__(self, save_dir: str, name: str = "", version: str = "") -> None:
        super().__init__(save_dir, name, version)
        self._earlier: list[dict[str, Any]] = []
        self._resumed_at: int | None = None

    @property
    @rank_zero_experiment
    def experiment(self) -> ExperimentWriter:
        """See Lightning, which deletes the table here."""
        if self._experiment is None:
            file = Path(self.log_dir) / ExperimentWriter.NAME_METRICS_FILE
            if file.is_file():
                with suppress(UnsafeFile):  # what is damaged is written anew
                    self._earlier = [r for r in read_rows(file) if step_of(r) is not None]
        return super().experiment

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        """See Lightning."""
        writer = self.experiment
        if self._earlier and step is not None:
            self._resumed_at = step
            kept = [row for row in self._earlier if int(row["step"]) <= step]
            writer.metrics += kept
            self._earlier = []
        if (
            step is not None and step == self._resumed_at
        ):  # of which there may be a part that does not come again
            again = {*metrics}
            writer.metrics = [
                row for row in writer.metrics
                if int(row["step"]) < step or again.isdisjoint(row)
            ]  # fmt: skip
        super().log_metrics(metrics, step)
