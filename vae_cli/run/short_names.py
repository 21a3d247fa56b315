"""Short names of runs, by which a table tells them apart and ``run=`` finds them."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """The fewest last folders of each path that tell it from the others.

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


def name_together(names: Sequence[str], all_names: Sequence[str]) -> str:
    """One text for several runs: a pattern that fits them alone, else the first and how many more.

    Args:
        names: Of the runs.
        all_names: Of these and of all others that the pattern must not fit.

    Example:
        >>> name_together(["a-1", "a-2"], ["a-1", "a-2", "b-1"])
        'a-*'
    """
    if len(names) == 1:
        return names[0]
    start, end = _common_start(names), _common_start([name[::-1] for name in names])[::-1]
    pattern = f"{start}*{end[max(0, len(start) + len(end) - min(map(len, names))) :]}"
    fits = {name for name in all_names if fnmatchcase(name, pattern)}
    return pattern if fits == {*names} and start else f"{names[0]} +{len(names) - 1}"


def _common_start(names: Sequence[str]) -> str:
    same = takewhile(lambda letters: len({*letters}) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in same)
