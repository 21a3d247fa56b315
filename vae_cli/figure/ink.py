"""Colours and sizes that pictures share."""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Literal

from vae_cli.data.split import Split
from vae_cli.glyphs import drawable

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

LONGEST = 60  # signs of a name, of which a picture is as wide as it takes
TITLE_SIZE, LABEL_SIZE = 9, 8  # points
FRAME_WIDTH = 600  # pixels, about, of an animation
# Paul Tol's muted scheme, made for colour-blind readers, and a grey.
PALETTE = (
    "#332288", "#88ccee", "#44aa99", "#117733", "#999933",
    "#ddcc77", "#cc6677", "#882255", "#aa4499", "#888888",
)  # fmt: skip


def new_canvas(
    size: tuple[float, float], dpi: int = 200, layout: Literal["constrained"] | None = None
) -> "Canvas":
    """An empty picture of so many inches; matplotlib is imported for the first one."""
    from matplotlib.figure import Figure as Canvas

    return Canvas(figsize=size, dpi=dpi, layout=layout)


def class_names(split: Split, labels: Iterable[int]) -> list[str]:
    """The names of labels, to be drawn."""
    names = (split.class_name(label) for label in labels)
    return drawable(n if len(n) <= LONGEST else f"{n[: LONGEST - 1]}…" for n in names)


@cache  # of the same words again and again, and slow
def text_width(text: str, size: float) -> float:
    """How wide text is that is written in so many points, in inches."""
    from matplotlib.textpath import TextPath

    lines = [line for line in text.splitlines() if line.strip()]
    widths = [TextPath((0, 0), line, size).get_extents().width for line in lines]
    return max(widths, default=0) / 72
