"""What an array may be that is not what it is read as."""

import math
from collections.abc import Sequence

import numpy as np

from vae_cli.data.numbers import Array

MOST_LABELS = 100  # values of a column that may be labels
DARK = 127  # of 255: where no byte is brighter, white is probably another number


def hints(parts: Sequence[Array], levels: int | None) -> list[str]:
    """What may be meant otherwise."""
    found, (length, *others) = list[str](), parts[0].shape[1:]
    side = math.isqrt(length)
    if not others and side > 3 and side**2 == length:
        found.append(f"if vectors of {length} are images, set data.shape=[1,{side},{side}]")
    brightest = max(int(array.max()) for array in parts)
    if levels == 256 and brightest <= DARK:
        found.append(f"the brightest of 256 grey levels is {brightest}; "
                     f"if that is white, set data.scale={brightest}")  # fmt: skip
    return found


def label_hint(rows: Array, size: int | None = None) -> list[str]:
    """What to say of rows whose first or last value may be a label.

    Args:
        rows: Of a table.
        size: Of an image; None for any square.
    """
    length = rows.shape[1] - 1
    if length != (size or math.isqrt(length) ** 2) or length < 16 or not len(rows):
        return []
    for place, column in (("first", rows[:, 0]), ("last", rows[:, -1])):
        values = np.unique(column)
        if 1 < len(values) <= min(MOST_LABELS, len(rows) // 2) and not (values % 1).any():
            return [
                f"the {place} column may be a label: it holds {len(values)} whole numbers, and "
                f"{length} other values make an image. Then store them as y and X of an .npz"
            ]
    return []
