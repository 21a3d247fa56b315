"""The model of a trained run, as a part of another model."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Pretrained:
    """Where a part of a model comes from: a run that is trained before.

    A yaml names it as the target of that part. Before the model is built, the description of the
    trained model takes its place, so that a checkpoint depends on no other folder.

    Args:
        run: Folder of the trained run; None to train one in the new run's own folder first.
        overrides: For training it, a ``model=m1`` unless they name another.

    Example:
        >>> Pretrained("outputs/m1").run
        'outputs/m1'
    """

    run: str | None = None
    overrides: Sequence[str] = ()
