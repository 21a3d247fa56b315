"""Ways to spoil images, each with draws from the default generator."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


def gaussian(x: Tensor, level: float) -> Tensor:
    """Images with Gaussian noise of that standard deviation added."""
    return x + level * torch.randn_like(x)


def masking(x: Tensor, level: float) -> Tensor:
    """Images of which each value is 0 with that probability."""
    return torch.where(torch.rand_like(x) < level, 0, x)


def salt_and_pepper(x: Tensor, level: float) -> Tensor:
    """Images of which each value is replaced with that probability: by 0 or by 1, evenly."""
    uniform = torch.rand_like(x)
    return torch.where(uniform < level, (uniform < level / 2).to(x), x)


def flip(x: Tensor, level: float) -> Tensor:
    """Images of which each value is its opposite, 1 - x, with that probability."""
    return torch.where(torch.rand_like(x) < level, 1 - x, x)


class Corruption(NamedTuple):
    """A way to spoil images.

    Attributes:
        apply: From images and the level to images.
        usual_level: The default.
        is_share: Whether the level is a share of the values, else a standard deviation.
    """

    apply: Callable[[Tensor, float], Tensor]
    usual_level: float
    is_share: bool


CORRUPTIONS = {
    "gaussian": Corruption(gaussian, 0.3, is_share=False),
    "masking": Corruption(masking, 0.25, is_share=True),
    "salt_and_pepper": Corruption(salt_and_pepper, 0.1, is_share=True),
    "flip": Corruption(flip, 0.1, is_share=True),
}
