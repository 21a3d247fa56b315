"""What a hostile run is: a way to spoil a good one, and which openings have to refuse it."""

from collections.abc import Callable, Set
from typing import NamedTuple

from strange_run import StrangeRun

HARMLESS: frozenset[str] = frozenset()


class Row(NamedTuple):
    """A hostile run.

    Attributes:
        kind: Number of the kind of attack.
        name: What is done.
        spoil: Does it.
        refused: The openings that end with exit code 2 and leave the folder as it was. All others
            may work or refuse, as long as nothing else happens.
        base: The good run that is spoiled.
        folder: Name of the run's folder.
    """

    kind: int
    name: str
    spoil: Callable[[StrangeRun], object]
    refused: Set[str] = HARMLESS
    base: str = "vae"
    folder: str = "run"
