"""Where an evaluation stopped that was interrupted."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from vae_cli.folders import replaced
from vae_cli.metric.base import State
from vae_cli.run.folder import RunFolder
from vae_cli.training.checkpoint_file import CheckpointError, read_sealed, write_sealed

BATCH = 100  # images; part of the definition of the evaluation's noise: not an option


class Unfinished:
    """A file in a run's folder; each has a name of what it is of.

    Args:
        folder: Of the run.
        conditions: All that the numbers depend on, and the metrics with their options.
        total: Images of the split.
    """

    def __init__(self, folder: RunFolder, conditions: Mapping[str, Any], total: int) -> None:
        text = json.dumps(conditions, sort_keys=True)
        digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        self.path = folder.path / f"evaluation.{digest}.partial"
        self.conditions, self.total = conditions, total

    def write(self, state: State) -> None:
        """Writes a state, whole or not at all."""
        with replaced(self.path) as file:
            write_sealed({"conditions": self.conditions, **state._asdict()}, file)

    def read(self, note: Callable[[str], None]) -> State | None:
        """Where the same evaluation stopped; None if it never did.

        Args:
            note: Is given a line about a damaged file.
        """
        if not self.path.is_file():
            return None
        try:
            saved = read_sealed(self.path)
            if saved.pop("conditions", None) != self.conditions:
                raise CheckpointError(f"{self.path.name} is of another evaluation")
            state = State(**saved)
            _check_state(state, self.conditions["metric"].keys(), self.total)
        except (CheckpointError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            is_known = isinstance(error, CheckpointError)
            what = error if is_known else f"{self.path.name} is damaged"
            note(f"{self.path.parent}: {what}; its images are measured again")
            return None
        return state

    def remove(self) -> None:
        """Removes the file, if there is one."""
        self.path.unlink(missing_ok=True)


def _check_state(state: State, names: Collection[str], total: int) -> None:
    """Raises ValueError unless a state is one of an evaluation, as far as its shapes tell."""
    images, sums, kept = state
    if not isinstance(images, int) or not 0 < images <= total:
        raise ValueError("it has no number of images")
    sizes = [min(BATCH, total - start) for start in range(0, images, BATCH)]
    if sum(sizes) != images or len(sizes) != len(kept) or sums.keys() != set(names):
        raise ValueError("it has other images or metrics")
    shapes = {name: value.shape[1:] for name, value in kept[0].items()}
    for part, size in zip(kept, sizes, strict=True):
        if {name: value.shape for name, value in part.items()} != {
            name: (size, *shape) for name, shape in shapes.items()
        }:
            raise ValueError("its batches differ")
    totals = {name: value.shape for each in sums.values() for name, value in each.items()}
    if totals != {name: (2, *shape) for name, shape in shapes.items()}:
        raise ValueError("its sums are of other values")
