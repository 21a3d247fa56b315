"""Which of the names that there are may have been meant, as a remedy."""

import difflib
from collections.abc import Sequence
from typing import Any

from vae_cli.config.synonyms import meanings
from vae_cli.errors import as_written


def nearest(key: str, value: Any, names: Sequence[str]) -> str:
    """Which of the names that an option can have may have been meant, as a remedy."""
    text = as_written(value)
    synonyms = meanings(f"{key.rpartition('.')[2]}={text}")
    near = [name for word in synonyms if (name := word.partition("=")[2]) in names]
    near += [name for name in names if len(text) > 1 and name.startswith(text.lower())]
    near += difflib.get_close_matches(text.lower(), names, n=1)
    return f"Did you mean {key}={near[0]}?" if near else ""


def suggest(name: str, known: Sequence[str], prefix: str = "") -> str:
    """The nearest of the known names, as a remedy; all of them where none is near."""
    known = [k for k in known if not k.startswith("_")]
    by_small = {k.lower(): k for k in known}
    near = difflib.get_close_matches(name.lower(), by_small, n=1, cutoff=0.5)
    if near:
        return f"Did you mean {f'{prefix}.{by_small[near[0]]}'.lstrip('.')}?"
    return list_names(known)


def list_names(known: Sequence[str]) -> str:
    """All of the known names, as a remedy."""
    shown = sorted(name for name in known if not name.startswith("_") and name != "derived")
    return f"There are {', '.join(shown)}." if shown else ""
