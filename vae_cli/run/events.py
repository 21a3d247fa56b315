"""TensorBoard's event files, read."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

FILES = "events.out.tfevents.*"
KINDS = ("scalars", "images", "tensors", "histograms", "compressedHistograms", "audio")


def read_events(folder: Path, kind: str) -> "EventAccumulator | None":
    """All events of one kind, and no more than one of each other.

    Args:
        folder: Of the run.
        kind: ``scalars`` or ``images``.

    Returns:
        None where the run has logged none.
    """
    if not any(folder.glob(FILES)):
        return None
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder), {**dict.fromkeys(KINDS, 1), kind: 0}).Reload()
