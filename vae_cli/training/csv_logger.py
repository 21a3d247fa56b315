"""Training curves as a table."""

import csv
import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import CSVLogger
from pytorch_lightning.loggers.csv_logs import ExperimentWriter
from pytorch_lightning.loggers.logger import rank_zero_experiment

from vae_cli.files import UnsafeFile
from vae_cli.folders import append_text, replaced
from vae_cli.training.metrics_table import read_rows, step_of


class TableWriter(ExperimentWriter):
    """Lightning's, which would delete an earlier table at its start, and write through links."""

    def __init__(self, log_dir: str) -> None:
        super().__init__(log_dir)
        self._file, self._has_begun = Path(self.metrics_file_path), False

    def save(self) -> None:
        """Writes the rows that are new; all of them where there is a new column."""
        if not self.metrics:
            return
        if self._record_new_keys() or not self._has_begun:
            rows = [*(read_rows(self._file) if self._has_begun else ()), *self.metrics]
            with replaced(self._file) as file:
                file.write(self._text(rows, with_header=True).encode("utf-8"))
        else:
            append_text(self._file, self._text(self.metrics, with_header=False))
        self._has_begun, self.metrics = True, []

    def _text(self, rows: Sequence[Mapping[str, Any]], with_header: bool) -> str:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self.metrics_keys)
        if with_header:
            writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def _check_log_dir_exists(self) -> None:
        """See Lightning: what is there stays until the new table takes its place."""


class CurveTable(CSVLogger):
    """Lightning's ``metrics.csv``, which a resumed run adds to instead of starting it anew.

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
        """See Lightning."""
        if self._experiment is None:
            file = Path(self.log_dir) / ExperimentWriter.NAME_METRICS_FILE
            if file.is_file():
                with suppress(UnsafeFile):  # a damaged table is replaced
                    self._earlier = [r for r in read_rows(file) if step_of(r) is not None]
            self._experiment = TableWriter(self.log_dir)
        return super().experiment

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        """See Lightning."""
        writer = self.experiment
        if self._earlier and step is not None:
            self._resumed_at = step
            writer.metrics += [row for row in self._earlier if int(row["step"]) <= step]
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
