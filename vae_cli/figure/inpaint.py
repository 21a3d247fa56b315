"""Images of which the model sees a part."""

from typing import Annotated, Literal

import torch
from torch import Size, Tensor

from vae_cli.data.split import Split
from vae_cli.figure.base import Drawing, Figure, name_examples
from vae_cli.figure.gibbs import draw_chain, is_binary
from vae_cli.model.base import Model
from vae_cli.options import Above, AtMost, Draws, Tiles, checked


class Inpaint(Figure[Model]):
    """What the model makes up where pixels are missing, step by step; see ``gibbs_chain``.

    Missing pixels are shown in grey. They start at random: coin flips where images are binary, else
    uniform from black to white.

    Args:
        count: Number of images, spread over the split.
        mask: The side that is missing, or ``random`` pixels.
        fraction: How much of an image is missing.
        steps: Of the chain.
    """

    kinds = frozenset({"image"})
    during_training = False

    @checked
    def __init__(
        self,
        count: Tiles = 10,
        mask: Literal["left", "right", "top", "bottom", "random"] = "left",
        fraction: Annotated[float, Above(0), AtMost(1)] = 0.5,
        steps: Draws = 100,
    ) -> None:
        self.count, self.mask, self.fraction, self.steps = count, mask, fraction, steps

    def draw(self, model: Model, split: Split) -> Drawing:
        """See the base class."""
        batch = split.batch(split.spread(self.count)).to(model.device)
        observed = ~missing(self.mask, self.fraction, batch.x.shape, model.device)
        low, high = limits = split.treatment.limits
        uniform = torch.rand_like(batch.x)
        flips, spread = (uniform < 0.5).to(uniform), low + (high - low) * uniform
        filling = flips if is_binary(batch.x) else spread
        start = torch.where(observed, batch.x, filling)
        seen = torch.where(observed, batch.x, torch.full_like(batch.x, (low + high) / 2))
        rows = {split.treatment.label: batch.x, "observed (grey: missing)": seen}
        title = f"Filling in {name_examples(split)}: encoded and decoded, step by step"
        return draw_chain(model, batch, start, observed, self.steps, rows, title, limits)


def missing(mask: str, fraction: float, shape: Size, device: torch.device) -> Tensor:
    """Where pixels are missing, boolean, ``(B, 1, H, W)``: in all channels alike.

    Args:
        mask: The side, which is the same for all images, or ``random``, anew for each.
        fraction: Of the pixels; of a side's rows or columns, rounded.
        shape: Of the images, ``(B, C, H, W)``.
        device: Of the result.
    """
    count, _, height, width = shape
    if mask == "random":
        return torch.rand(count, 1, height, width, device=device) < fraction
    across = mask in ("left", "right")
    size = width if across else height
    place = torch.arange(size, device=device)
    if mask in ("right", "bottom"):
        place = place.flip(0)
    hidden = place < max(1, round(fraction * size))
    return (hidden if across else hidden.unsqueeze(1)).expand(count, 1, height, width)
