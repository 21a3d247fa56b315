"""One part of a dataset with its pixels treated as the likelihood wants them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from vae_cli import noise
from vae_cli.data.batch import Batch
from vae_cli.data.dataset import Images, StoredImages

Binarize = Literal["dynamic", "static", "threshold", "none"]
Encode = Literal["modelled", "grey"]

BINARIZATION_SEED = 0  # not the run's seed: results of different runs are about the same images
CHUNK = 1000  # images treated at once when a whole split is


@dataclass(frozen=True)
class Treatment:
    r"""How stored pixels become what is modelled.

    A grey level v of L counts as the number :math:`g = v / (L - 1)` in [0, 1].

    Args:
        binarize: ``dynamic`` draws x = 1 with probability g, anew in each epoch (once and for all
            in validation and test); ``static`` draws once in training too; ``threshold`` sets
            x = 1 where g > 0.5; ``none`` models g itself.
        dequantize: Models (v + u) / L with uniform u instead, so that a density of it says
            something about the levels (Theis et al. 2016, arXiv:1511.01844, section 3.1). u is
            drawn anew in each epoch of training. Goes with ``binarize: none``.
        levels: L, or None where values are not levels.
        encode: What the encoder sees: ``modelled``, x itself; ``grey``, g, which tells it more of
            an image than a draw does. The bound is one on log p(x) whatever q looks at.
        limits: The values that pictures show as black and as white.
    """

    binarize: Binarize
    dequantize: bool
    levels: int | None
    encode: Encode = "modelled"
    limits: tuple[float, float] = (0.0, 1.0)

    @property
    def is_random(self) -> bool:
        """Whether images of more than two levels are treated with noise."""
        return self.dequantize or (self.binarize in ("dynamic", "static") and self.levels != 2)

    @property
    def label(self) -> str:
        """What is modelled, in a word for a picture."""
        if self.binarize == "none":
            return "dequantized" if self.dequantize else "original"
        return f"binarized ({self.binarize})"

    def grey(self, pixels: Tensor) -> Tensor:
        """Stored pixels as grey values in [0, 1] (floats as they are)."""
        return pixels.float() if self.levels is None else pixels / (self.levels - 1)

    def __call__(self, pixels: Tensor, uniform: Tensor | None) -> Tensor:
        """What is modelled.

        Args:
            pixels: Stored pixels, any shape.
            uniform: Draws in [0, 1) of the same shape; needed only where ``is_random``.
        """
        if uniform is not None and self.dequantize:
            # 16 bits of u: with more, 255 + u would round up to 256 now and then.
            return (pixels + (uniform * 2**16).floor() / 2**16) / (self.levels or 1)
        grey = self.grey(pixels)
        if uniform is not None:
            return (uniform < grey).float()
        return (grey > 0.5).float() if self.binarize == "threshold" else grey

    def draw(self, pixels: Tensor, source: torch.Generator) -> Tensor:
        """The same with noise of 16 bits, which is much faster to draw; for training.

        The probability of x = 1 is g to the nearest multiple of 2^-16, so it is exact for the
        darkest and the lightest level and within 2^-17 between them.

        Args:
            pixels: Stored pixels, any shape.
            source: Of the noise, on their device.
        """
        draws = noise.draw_int16(pixels.shape, source)
        if self.dequantize:
            return (pixels + (draws.float() + 2**15) / 2**16) / (self.levels or 1)
        scale = 2**16 / (1 if self.levels is None else self.levels - 1)
        # A draw is at least -2^15; half a step more rounds to the nearest.
        threshold = (pixels * scale).sub_(2**15 + 0.5)
        return torch.lt(draws, threshold, out=torch.empty_like(threshold))


class Split:
    """One part of a dataset, ready to be modelled.

    Args:
        name: ``train``, ``validation`` or ``test``.
        images: The images as stored.
        treatment: What to do to their pixels.
        classes: What the labels stand for, as in ``Dataset``.
    """

    def __init__(
        self, name: str, images: Images, treatment: Treatment, classes: Sequence[str] = ()
    ) -> None:
        self.name, self.images, self.treatment, self.classes = name, images, treatment, classes
        self.draws_anew = name == "train" and treatment.is_random and treatment.binarize != "static"
        self._modelled: Images | None = None  # the outcome of noise that is drawn only once
        if treatment.is_random and not self.draws_anew and images.in_memory:
            chunks = [self._fixed(i) for i in torch.arange(len(images)).split(CHUNK)]
            kept = torch.cat([x if treatment.dequantize else x.byte() for x in chunks])
            self._modelled = StoredImages(kept, images.labels)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def device(self) -> torch.device:
        """Where the images are."""
        return self.images.labels.device

    def to(self, device: torch.device) -> "Split":
        """The same split with what it holds in memory on a device. Changes this object."""
        self.images = self.images.to(device)
        self._modelled = self._modelled and self._modelled.to(device)
        return self

    def class_name(self, label: int) -> str:
        """What a label stands for."""
        if label < 0:
            return "unlabelled"
        return self.classes[label] if label < len(self.classes) else str(label)

    def spread(self, count: int) -> Tensor:
        """Positions of at most ``count`` images, evenly apart: a split may be sorted by class."""
        return self._evenly(len(self), count)

    def spread_labelled(self, count: int) -> Tensor:
        """The same of the images whose label is known."""
        labelled = (self.images.labels >= 0).nonzero().squeeze(1)
        return labelled[self._evenly(len(labelled), count)]

    def _evenly(self, size: int, count: int) -> Tensor:
        return torch.linspace(0, size - 1, min(count, size), device=self.device).long()

    def grey(self, index: Tensor) -> Tensor:
        """Images before binarization or dequantization, shape ``(B, *shape)``."""
        return self.treatment.grey(self.images.take(index))

    def batch(self, index: Tensor, fresh: torch.Generator | None = None) -> Batch:
        """Images by their positions.

        Args:
            index: Shape ``(B,)``, on the device of the images.
            fresh: Source of noise that is drawn anew in each epoch of training, where it
                ``draws_anew``; without it, the noise is one that belongs to the images.
        """
        if self._modelled is not None:
            x = self._modelled.take(index).float()
        elif self.draws_anew and fresh is not None:
            x = self.treatment.draw(self.images.take(index), fresh)
        else:
            x = self._fixed(index)
        seen = self.grey(index) if self.treatment.encode == "grey" else x
        return Batch(x, seen, self.images.labels.index_select(0, index), index)

    def _fixed(self, index: Tensor) -> Tensor:
        pixels = self.images.take(index)
        if not self.treatment.is_random:
            return self.treatment(pixels, None)
        uniform = noise.fixed_uniform(
            index, self.images.shape, "pixels", BINARIZATION_SEED, self.name
        )
        return self.treatment(pixels, uniform.to(pixels.device))
