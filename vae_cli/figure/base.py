"""What all pictures share."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure as Canvas
from torch import Tensor

from vae_cli.data.split import Split
from vae_cli.model.base import LatentVariableModel

GAP = 1  # pixels between images
INCH = 0.55  # width of one image in a grid
# Paul Tol's muted scheme, made for colour-blind readers, and a grey.
PALETTE = (
    "#332288", "#88ccee", "#44aa99", "#117733", "#999933",
    "#ddcc77", "#cc6677", "#882255", "#aa4499", "#888888",
)  # fmt: skip


class Figure(ABC):
    """A picture of a trained model.

    Attributes:
        during_training: Whether it is also drawn as training goes on.
    """

    during_training: bool

    @abstractmethod
    def draw(self, model: LatentVariableModel, split: Split) -> Canvas | None:
        """The picture, or None where it does not apply to this model."""


def tile(images: Tensor, columns: int) -> np.ndarray:
    """Lays images out row by row.

    Args:
        images: Shape ``(N, C, H, W)``, values in [0, 1] (clipped).
        columns: Images in a row.

    Returns:
        Shape ``(rows, width, 3)``, uint8. Images of neither one nor three channels are averaged
        over their channels.
    """
    pixels = images.detach().float().clamp(0, 1).mul(255).round().byte().cpu()
    if pixels.shape[1] not in (1, 3):
        pixels = pixels.float().mean(1, keepdim=True).byte()
    count, _, height, width = pixels.shape
    rows = -(-count // columns)
    sheet = torch.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), 255)
    for i, image in enumerate(pixels):
        top, left = i // columns * (height + GAP), i % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = image.permute(1, 2, 0)
    return sheet.byte().numpy()


def sheet(images: Tensor, columns: int, title: str, row_labels: Sequence[str] = ()) -> Canvas:
    """A titled grid of images, pixels enlarged without blur."""
    height, width = images.shape[-2:]
    rows = -(-len(images) // columns)
    size = (columns * INCH + 1.5 * bool(row_labels), rows * INCH * height / width + 0.4)
    canvas = Canvas(figsize=size, dpi=200, layout="constrained")
    axes = canvas.add_subplot()
    pixels = tile(images, columns)
    axes.imshow(pixels, interpolation="none")
    axes.set_title(title, fontsize=9)
    axes.set_xticks([])
    centers = [row * (height + GAP) + (height - 1) / 2 for row in range(len(row_labels))]
    axes.set_yticks(centers, row_labels, fontsize=8)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return canvas
