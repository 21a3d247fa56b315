"""Short names of runs, by which a table tells them apart and ``run=`` finds them."""

from collections.abc import Sequence
from pathlib import Path


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """The fewest last folders of each path that tell it from the others.

    Args:
        paths: Of runs.

    Returns:
        By path.

    Example:
        >>> short_names(["runs/a/1", "runs/b/1", "runs/b/2"])
        {'runs/a/1': 'a/1', 'runs/b/1': 'b/1', 'runs/b/2': '2'}
    """
    parts = {path: Path(path).resolve().parts for path in paths}
    counts: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for whole in parts.values():
        for length in range(1, len(whole) + 1):
            counts.setdefault(whole[-length:], set()).add(whole)

    def short(whole: tuple[str, ...]) -> str:
        lengths = range(1, len(whole) + 1)
        length = next((n for n in lengths if len(counts[whole[-n:]]) == 1), len(whole))
        return str(Path(*whole[-length:]))

    return {path: short(whole) for path, whole in parts.items()}
