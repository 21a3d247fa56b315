"""The plane of a two-dimensional latent space, once for every class."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure as Canvas

from vae_cli.data.split import Split
from vae_cli.figure.base import (
    INCH,
    LABEL_SIZE,
    PAD,
    TITLE_SIZE,
    Drawing,
    Figure,
    Inapplicable,
    text_width,
    tile,
    to_numpy,
)
from vae_cli.figure.manifold import quantile_grid
from vae_cli.figure.styles import some_classes, with_decoded_labels
from vae_cli.model.base import Model
from vae_cli.options import Tiles, checked

ACROSS = 5  # panels in a row, at most
PANEL = 3 * INCH  # inches, the width of one, at least


class StyleManifold(Figure):
    """Means of p(x|y,z) for each class y on a grid of z: the quantiles of N(0, 1).

    (Kingma, Rezende, Mohamed & Welling 2014, arXiv:1406.5298, figure 1a.) For two latent
    dimensions.

    Args:
        rows: Rows, and columns, of the grid of a class.
        classes: Shown at most; of more, some evenly apart.
    """

    during_training = True

    @checked
    def __init__(self, rows: Tiles = 10, classes: Tiles = 20) -> None:
        self.rows, self.classes = rows, classes

    def draw(self, model: Model, split: Split) -> Drawing:
        """See the base class."""
        model = with_decoded_labels(model)
        if model.latent_dim != 2:
            raise Inapplicable("needs two latent dimensions")
        y = some_classes(model, self.classes)
        z = quantile_grid(self.rows, model.device)
        x = model.decode(z.expand(len(y), -1, -1), y.unsqueeze(1)).mean
        names = [split.class_name(label) for label in y.tolist()]
        sheets = [tile(images, self.rows) for images in x]
        return Drawing(_side_by_side(sheets, names), to_numpy(z=z, y=y, x=x))


def _side_by_side(sheets: Sequence[np.ndarray], names: Sequence[str]) -> Canvas:
    """A picture of sheets, ``(H, W, 3)`` each and alike, under their names.

    Placed by hand, as ``sheet`` places its grid, and many times faster than a layout engine.
    """
    title = "style manifold: mean of p(x|y,z) over the quantiles of the prior of z"
    columns = min(len(sheets), ACROSS)
    rows = -(-len(sheets) // columns)
    height, width, _ = sheets[0].shape
    name, heading = LABEL_SIZE / 72 + PAD, TITLE_SIZE / 72 + PAD
    # What a panel takes: its name, and the sheet in the middle below it.
    across = max(PANEL, *(text_width(each, LABEL_SIZE) for each in names)) + 2 * PAD
    inner = (PANEL, PANEL * height / width)
    down = name + inner[1] + PAD
    wide = max(columns * across, text_width(title, TITLE_SIZE)) + PAD
    size = (wide, rows * down + heading + PAD)
    margin = (size[0] - columns * across) / 2
    canvas = Canvas(figsize=size, dpi=200)
    canvas.suptitle(title, fontsize=TITLE_SIZE, y=1 - PAD / size[1], va="top")
    for number, (sheet, each) in enumerate(zip(sheets, names, strict=True)):
        row, column = divmod(number, columns)
        left = margin + column * across + (across - inner[0]) / 2
        bottom = (rows - 1 - row) * down + PAD
        axes = canvas.add_axes(
            (left / size[0], bottom / size[1], inner[0] / size[0], inner[1] / size[1])
        )
        axes.imshow(sheet, interpolation="none")
        axes.set_title(each, fontsize=LABEL_SIZE, pad=3)
        axes.set_axis_off()
    return canvas
