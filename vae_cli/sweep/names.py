"""The names of a sweep's folders."""

import hashlib
import re
from collections.abc import Sequence

BETWEEN = "__"  # the settings of a name
LONGEST = 150  # characters of a name
SPECIAL = re.compile(r"[^\w.-]+")  # what a shell or Hydra may read as something else


def job_names(settings: Sequence[Sequence[str]]) -> list[str]:
    """A name for each job, from what varies: ``posterior-planar__seed-1``.

    A shell, Hydra and every key of this package read the name as it is, without quotes.

    Args:
        settings: Of each job, ``key=value`` for what varies.
    """
    names: list[str] = []
    for texts in settings:
        plain = [SPECIAL.sub("-", text.replace("[", "").replace("'", "")) for text in texts]
        full = BETWEEN.join(text.strip("-") for text in plain)
        name = full or "run"
        if len(name) > LONGEST or name in names:
            digest = hashlib.blake2b(" ".join(texts).encode(), digest_size=4).hexdigest()
            name = f"{name[:LONGEST]}-{digest}"
        names.append(name)
    return names
