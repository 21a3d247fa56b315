"""The folders of runs that a command line names: paths, patterns, prefixes, ``last``, ``best:``."""

import glob
import os
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any

from vae_cli.commands.entry import ignore_interruptions
from vae_cli.config.path_words import as_path, exists
from vae_cli.config.request import Request
from vae_cli.errors import ConfigError, Notice, Resumable, VaeCliError, shell_word
from vae_cli.run.files import check_writable
from vae_cli.run.folder import COPY, RunFolder

OUTPUTS = "outputs"  # where runs are looked for by a part of their name
SHOWN = 3  # names of an error
PART = re.compile(
    r"""'[^']*'(?=,|$)|"[^"]*"(?=,|$)|[^,]+"""
)  # commas within quotes separate nothing


def runs_of(request: Request) -> list[str]:
    """The folders of the runs that ``run=`` names, each once, see ``find_runs``.

    Raises:
        VaeCliError: If nothing is named, or no run has a name.
    """
    words = filter(None, request.values("run"))
    named = [path for word in words for path in find_runs("run", word)]
    found = {Path(path).resolve(): path for path in named}
    if not found:
        example = f"vae-{request.config_name} run=last"
        raise VaeCliError(f"run: needs the folder of a run. Try {example}.")
    return list(found.values())


def places_of(request: Request) -> list[str]:
    """As ``runs_of``, but a folder above runs stands for itself, and ``run=`` may be left out."""
    words = [*request.words, *filter(None, request.values("run"))]
    if not words:
        raise VaeCliError("run: needs folders of runs. Try vae-compare outputs.")
    return [place for word in words for place in _places_in(word)]


def _places_in(word: str) -> Iterator[str]:
    for part in listed(word):
        yield from [part] if exists(part) else _named_by("run", part)


def find_runs(key: str, word: str) -> Iterator[str]:
    """The folders of the runs that a word of comma-separated parts names.

    A part is a path, a pattern (``outputs/*/*``), or the unique beginning of a path. Of a run under
    ``outputs`` the last folders are enough (``digits_vae/2026-11``). ``last[:FOLDER]`` is the run
    that was started or resumed last, ``best[:FOLDER]`` the one with the best number of the
    validation images.

    Args:
        key: What the user gave the word to.
        word: As the shell gives it.

    Raises:
        ConfigError: If a part names no run, or could be several.
    """
    for part in listed(word):
        yield from _named_by(key, part)


def find_run(key: str, word: str) -> str:
    """The folder of the one run that a word names, see ``find_runs``.

    Raises:
        ConfigError: If it names none, or several.
    """
    found = list(find_runs(key, word))
    if len(found) != 1:
        remedy = _one_of(key, found) if found else f"Try {key}=last."
        raise ConfigError(key, word, f"needs one run, but names {len(found)}", remedy)
    return found[0]


def listed(value: str) -> list[str]:
    """The paths of one word: the whole word if that exists, else its comma-separated parts.

    Example:
        >>> listed("a,'b,c'")
        ['a', 'b,c']
    """
    whole = as_path(value)
    if exists(whole):
        return [whole]
    is_list = value[:1] == "[" and value[-1:] == "]"
    return [as_path(part) for part in PART.findall(value[1:-1] if is_list else value)]


def work_on_each(
    runs: Sequence[str],
    work: Callable[[str], dict[str, Any]],
    show: Callable[[str, dict[str, Any]], None],
) -> list[tuple[str, dict[str, Any]]]:
    """Gets the numbers of each run and shows them; all folders are checked before the first.

    Returns:
        Each run with its numbers.

    Raises:
        ConfigError: If a folder is not one of a run, or cannot be written to.
        Resumable: If it is interrupted after the first run.
    """
    for path in runs:
        check_writable("run", RunFolder.existing(path, key="run").path, COPY)
    records: list[tuple[str, dict[str, Any]]] = []
    for path in runs:
        try:
            record = work(path)
        except KeyboardInterrupt as stop:
            if not records:
                raise
            raise Resumable from stop
        if path == runs[-1]:
            ignore_interruptions()  # all is kept
        records.append((path, record))
        show(path, record)
    return records


def _named_by(key: str, part: str) -> list[str]:
    if exists(part):
        _check_is_no_shelf(key, part)
        return [part]
    if glob.has_magic(part):
        found = _matching(part) or [p for p in runs_below(OUTPUTS) if PurePath(p).match(part)]
        if found:
            return found
        raise ConfigError(key, part, "no folder of a run matches the pattern", f"Try {key}=last.")
    name, _, place = part.partition(":")
    choose = CHOSEN.get(name)
    run = choose(key, part, place or OUTPUTS) if choose else _completed(key, part)
    warnings.warn(f"{key}={part} is {run}", Notice, stacklevel=2)
    return [run]


def _check_is_no_shelf(key: str, part: str) -> None:
    """Checks that a folder is not one of several runs, such as a sweep's."""
    if not _is_run(Path(part)) and (below := runs_below(part)):
        rule = f"is not a run, but holds {len(below)}"
        remedy = f"Try {shell_word(f'{key}={below[0]}')} or {shell_word(f'{key}=best:{part}')}."
        raise ConfigError(key, part, rule, remedy)


def _matching(pattern: str) -> list[str]:
    """The runs whose path fits a pattern."""
    return [path for path in sorted(glob.glob(pattern)) if _is_run(Path(path))]  # noqa: PTH207


def _completed(key: str, part: str) -> str:
    """The run whose path begins with a text, or under ``outputs`` ends with a name like it."""
    found = _matching(f"{glob.escape(part)}*") or _ending_with(PurePath(part).parts)
    if not found:
        rule = "there is no such folder, and no run under outputs has such a name"
        raise ConfigError(key, part, rule, f"Try {key}=last, or vae-compare outputs.")
    if len(found) > 1:
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        rule = f"{len(found)} runs match ({', '.join(found[:SHOWN])}{more})"
        raise ConfigError(key, part, rule, _one_of(key, found))
    return found[0]


def _ending_with(names: Sequence[str]) -> list[str]:
    """The runs under ``outputs`` whose path ends with these names, or with more of the last."""
    ends = [path for path in runs_below(OUTPUTS) if _is_like(PurePath(path).parts, names)]
    whole = [path for path in ends if PurePath(path).name == names[-1]]
    return whole or ends


def _is_like(path: Sequence[str], names: Sequence[str]) -> bool:
    end = path[-len(names) :]
    return tuple(end[:-1]) == tuple(names[:-1]) and end[-1].startswith(names[-1])


def _last(key: str, part: str, place: str) -> str:
    """The run that was started or resumed last."""

    def started(path: str) -> int:
        return RunFolder(path).overrides.stat().st_mtime_ns

    return max(_some_below(key, part, place), key=started)


def _best(key: str, part: str, place: str) -> str:
    """The run with the best numbers of the validation images."""
    from vae_cli.report.ledger import read_entries
    from vae_cli.terminal.comparable import comparable

    entries, _ = read_entries(_some_below(key, part, place), "test")
    groups = comparable([(entry.path, entry.numbers) for entry in entries], mixed=False)
    if len(groups) == 1 and groups[0].ranking is not None:
        return groups[0].members[0][0]
    few = ("no run there has finished", "the runs there have no validation number to rank by")
    rule = few[len(groups)] if len(groups) < 2 else "the runs there differ in data or treatment"
    raise ConfigError(key, part, rule, f"Try vae-compare {shell_word(place)}.")


CHOSEN: dict[str, Callable[[str, str, str], str]] = {"last": _last, "best": _best}


def _some_below(key: str, part: str, place: str) -> list[str]:
    found = runs_below(place)
    if not found:
        rule = f"there is no run under {place}" if exists(place) else f"there is no folder {place}"
        raise ConfigError(key, part, rule, f"Try {key}=RUN_DIR.")
    return found


def runs_below(place: str) -> list[str]:
    """The runs in a folder and below it; those within a run's own folder are parts of it."""
    found = []
    for folder, names, _ in os.walk(place):
        if _is_run(Path(folder)):
            found.append(folder)
            names.clear()
        names.sort()
    return found


def _one_of(key: str, found: Sequence[str]) -> str:
    return f"Try {shell_word(f'{key}={found[-1]}')}."


def _is_run(path: Path) -> bool:
    """Whether a folder is one of a run; a link to one is not, and would not be opened."""
    return RunFolder(path).overrides.is_file() and not path.is_symlink()
