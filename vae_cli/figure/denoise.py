"""Corrupted images and what the model takes them for."""

from typing import Annotated, Literal

import torch

from vae_cli.data.corruption import CORRUPTIONS
from vae_cli.data.split import Split
from vae_cli.figure.base import Drawing, Figure, name_examples
from vae_cli.figure.gibbs import draw_chain, is_binary
from vae_cli.model.base import Model
from vae_cli.options import Above, AtMost, Draws, Tiles, checked


class Denoise(Figure[Model]):
    """Corrupted images as the start of a chain that updates all pixels; see ``gibbs_chain``.

    The first steps remove what no image of the model has; in the long run it forgets where it
    started, and draws from the model.

    Args:
        count: Number of images, spread over the split.
        noise: ``flip`` turns pixels into their opposite, 1 - x; ``gaussian`` adds Gaussian noise;
            ``masking`` sets pixels to 0, ``salt_and_pepper`` to 0 or 1; ``auto`` flips where images
            are binary and adds where they are grey.
        level: The share of the pixels, by default 0.1 (0.25 for masking); the standard
            deviation of the added noise, by default 0.3.
        steps: Of the chain.
    """

    during_training = False

    @checked
    def __init__(
        self,
        count: Tiles = 10,
        noise: Literal["auto", "flip", "gaussian", "masking", "salt_and_pepper"] = "auto",
        level: Annotated[float, Above(0), AtMost(1)] | None = None,
        steps: Draws = 10,
    ) -> None:
        self.count, self.noise, self.level, self.steps = count, noise, level, steps

    def draw(self, model: Model, split: Split) -> Drawing:
        """See the base class."""
        batch = split.batch(split.spread(self.count)).to(model.device)
        suited = "flip" if is_binary(batch.x) else "gaussian"
        corrupt, usual, _ = CORRUPTIONS[suited if self.noise == "auto" else self.noise]
        start = corrupt(batch.x, self.level or usual)
        rows = {split.treatment.label: batch.x, "corrupted": start}
        observed = torch.zeros_like(batch.x, dtype=torch.bool)
        limits = split.treatment.limits
        title = f"Denoising {name_examples(split)}: encoded and decoded, step by step"
        return draw_chain(model, batch, start, observed, self.steps, rows, title, limits)
