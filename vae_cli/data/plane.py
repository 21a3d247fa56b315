"""Points of the plane for teaching: vectors of two numbers."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from vae_cli import noise as noises
from vae_cli.data.dataset import Dataset, StoredImages
from vae_cli.options import NonNegativeFloat, NonNegativeInt, checked

SIZES = (2000, 500, 500)  # points of the three parts
TURNS = 1.5  # of an arm of the spiral, from the middle outwards
INNER = 0.15  # radius at which it begins
RADII = (1.0, 0.5)  # of the circles


@checked
def spiral(noise: NonNegativeFloat = 0.02, seed: NonNegativeInt = 0) -> Dataset:
    """Points along two arms of a spiral, evenly by their length; the label is the arm.

    An arm is Archimedes': its radius grows evenly with the angle, up to 1.

    Args:
        noise: Standard deviation of the Gaussian noise about the arms, of each coordinate.
        seed: Of all that is random; the same seed, the same points.
    """
    return _dataset(_on_spiral, noise, seed, "spiral", ("one arm", "other arm"))


@checked
def circles(noise: NonNegativeFloat = 0.02, seed: NonNegativeInt = 0) -> Dataset:
    """Points on two circles about 0, evenly by the angle; the label is the circle.

    Args:
        noise: Standard deviation of the Gaussian noise about the circles, of each coordinate.
        seed: Of all that is random; the same seed, the same points.
    """
    return _dataset(_on_circles, noise, seed, "circles", ("outer circle", "inner circle"))


def _on_spiral(uniform: Tensor, label: Tensor) -> Tensor:
    # The square root is what makes it nearly even by length, which grows with the radius' square.
    radius = (INNER**2 + (1 - INNER**2) * uniform).sqrt()
    angle = 2 * math.pi * TURNS * (radius - INNER) / (1 - INNER) + math.pi * label
    return _polar(radius, angle)


def _on_circles(uniform: Tensor, label: Tensor) -> Tensor:
    radius = torch.tensor(RADII, dtype=uniform.dtype)[label]
    return _polar(radius, 2 * math.pi * uniform)


def _polar(radius: Tensor, angle: Tensor) -> Tensor:
    return torch.stack([radius * angle.cos(), radius * angle.sin()], -1)


def _dataset(
    curve: Callable[[Tensor, Tensor], Tensor],
    noise: float,
    seed: int,
    name: str,
    classes: tuple[str, str],
) -> Dataset:
    """Points about a curve, half of them of each label, as vectors of two numbers.

    Args:
        curve: From a number in [0, 1) and a label, each ``(N,)``, to its points, ``(N, 2)``.
        noise, seed: See ``spiral``.
        name: Of the stream of random numbers.
        classes: What the labels stand for.
    """
    count, source = sum(SIZES), noises.generator("cpu", "plane", name, seed)
    label = torch.arange(count) % len(classes)
    uniform = torch.rand(count, generator=source, dtype=torch.float64)
    points = curve(uniform, label)
    points += noise * torch.randn(points.shape, generator=source, dtype=torch.float64)
    values = points.float()
    train, validation, test = (
        StoredImages(*part) for part in zip(values.split(SIZES), label.split(SIZES), strict=True)
    )
    return Dataset(train, validation, test, levels=None, classes=classes)
