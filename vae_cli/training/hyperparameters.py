"""A run's row in TensorBoard's HPARAMS tab."""

from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from vae_cli.console import printable


def write_hyperparameters(
    folder: Path,
    settings: Mapping[str, str | int | float | bool],
    results: Mapping[str, float],
    step: int,
) -> None:
    """Puts a run into the HPARAMS tab.

    Written straight into the run's folder: the logger's way would need the metrics before they
    are known, and SummaryWriter's makes another folder. What the columns are is left for
    TensorBoard to find out from all runs it sees: it then puts first the settings that differ,
    which no run can know of itself, while a list that one run states would hold for all of them.

    Args:
        folder: Of the run's events.
        settings: That tell the run from others, by dotted key.
        results: Points that the run's curves end with, by tag.
        step: Of them.
    """
    # TensorBoard has no filter for numbers that are truth values.
    plain = {
        printable(k): str(v).lower() if isinstance(v, bool) else
        printable(v) if isinstance(v, str) else v
        for k, v in settings.items()
    }  # fmt: skip
    _, start, end = hparams(plain, dict.fromkeys(results))
    with SummaryWriter(str(folder), filename_suffix=".results") as writer:
        for summary in (start, end):
            writer._get_file_writer().add_summary(summary)
        for tag, value in results.items():
            writer.add_scalar(tag, value, step)
