"""The names of a sweep's folders."""

import hashlib
import re
from collections.abc import Sequence

BETWEEN = "+"  # the settings of a name; a comma would part folders on a command line
LONGEST = 150  # characters of a name
PLAIN = re.compile(r"[^\w.+=-]+")


def names_of(settings: Sequence[Sequence[str]]) -> list[str]:
    """A name for each job, that tells what it is: ``posterior=planar+seed=1``.

    Args:
        settings: Of each job, ``key=value`` for what varies.
    """
    names: list[str] = []
    for texts in settings:
        plain = [PLAIN.sub("-", text.replace("[", "").replace("'", "")) for text in texts]
        full = BETWEEN.join(text.strip("-") for text in plain)
        name = full or "run"
        if len(name) > LONGEST or name in names:
            digest = hashlib.blake2b(" ".join(texts).encode(), digest_size=4).hexdigest()
            name = f"{name[:LONGEST]}-{digest}"
        names.append(name)
    return names
