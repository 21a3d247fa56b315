"""Several grids of images in one picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from vae_cli.example import is_point
from vae_cli.figure.ink import LABEL_SIZE, TITLE_SIZE, new_canvas, text_width
from vae_cli.figure.points import ACROSS, Panel, in_plane
from vae_cli.figure.scale import Scale
from vae_cli.figure.sheet import GAP, GREY, INCH, PAD, Limits, describe_limits, tile

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

PANEL = 3 * INCH  # inches, the width of one


def sheets(
    grids: Sequence[tuple[str, Tensor]],
    columns: int,
    title: str,
    width: float = PANEL,
    limits: Limits = GREY,
    scale: Scale | None = None,
) -> "Canvas":
    """Grids of images beside each other; of points of the plane, planes.

    Placed by hand, as ``sheet`` places its grid, and many times faster than a layout engine.

    Args:
        grids: What stands above and images, ``(N, C, H, W)``, of the same shape in all.
        columns: Images in a row of a grid.
        title: Above all.
        width: Of a grid, in inches; a name may need more.
        limits: See ``tile``; the title says what is black and white.
        scale: Where the images of each grid stand in a plane, if they do.
    """
    if is_point(grids[0][1].shape[1:]):
        return in_plane([Panel(name, points) for name, points in grids], title)
    tiled = [(name, tile(images, columns, limits)) for name, images in grids]
    title += describe_limits(limits)
    across_all = min(len(tiled), ACROSS)
    rows = -(-len(tiled) // across_all)
    high, wide, _ = tiled[0][1].shape
    name, heading = LABEL_SIZE / 72 + PAD, TITLE_SIZE / 72 + PAD
    # What a panel takes: its name, and the sheet in the middle below it.
    across = max(width, *(text_width(each, LABEL_SIZE) for each, _ in tiled)) + 2 * PAD
    beside, below = (0.0, 0.0) if scale is None else (scale.left, scale.below)
    across += beside
    inner = (width, width * high / wide)
    down = name + inner[1] + PAD + below
    whole = max(across_all * across, text_width(title, TITLE_SIZE)) + PAD
    size = (whole, rows * down + heading + PAD)
    margin = (size[0] - across_all * across) / 2
    canvas = new_canvas(size)
    canvas.suptitle(title, fontsize=TITLE_SIZE, y=1 - PAD / size[1], va="top")
    for number, (each, pixels) in enumerate(tiled):
        row, column = divmod(number, across_all)
        left = margin + column * across + (across + beside - inner[0]) / 2
        bottom = (rows - 1 - row) * down + PAD + below
        axes = canvas.add_axes(
            (left / size[0], bottom / size[1], inner[0] / size[0], inner[1] / size[1])
        )
        axes.imshow(pixels, interpolation="none")
        axes.set_title(each, fontsize=LABEL_SIZE, pad=3)
        if scale is None:
            axes.set_axis_off()
        else:
            scale.put(axes, (grids[0][1].shape[-2], grids[0][1].shape[-1]), GAP)
    return canvas
