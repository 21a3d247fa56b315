"""The chain that goes back and forth between an image and its z."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from vae_cli.data.batch import Batch
from vae_cli.figure.base import Drawing, to_numpy
from vae_cli.figure.grid import Grid
from vae_cli.figure.sheet import Limits, animation
from vae_cli.model.base import Model

MARKS = (1, 2, 5)  # and ten times that, and so on: the steps that are shown
FRAMES = 50  # of an animation, about


class Step(NamedTuple):
    """Where the chain is.

    Attributes:
        x: The images, ``(B, C, H, W)``.
        mean: What each pixel of them was drawn around, E[x|z]; observed ones as they are.
    """

    x: Tensor
    mean: Tensor


def gibbs_chain(
    model: Model,
    batch: Batch,
    observed: Tensor,
    steps: int,
    limits: tuple[float, float] = (-math.inf, math.inf),
) -> Iterator[Step]:
    """Draws z ~ q(z|x) and x ~ p(x|z) in turn, keeping the observed pixels as they are.

    Were q(z|x) the true posterior, this would be Gibbs sampling: the images would end up as draws
    of the missing pixels given the observed ones (Rezende et al. 2014, arXiv:1401.4082, appendix
    on the imputation of missing data).

    Args:
        model: In evaluation mode.
        batch: The images to start from, what is to be imputed filled in with anything.
        observed: Where pixels are kept, boolean, of the shape of ``batch.x`` or expandable to it.
        steps: How many pairs of draws.
        limits: To which draws of x are clipped. A Gaussian's leave the range of grey values, and an
            encoder that was never shown such images can send them further off at each step,
            until they are no longer numbers.
    """
    x = batch.x
    for _ in range(steps):
        p = model.decode(model.encode(batch._replace(x=x, input=x)).sample())
        x = torch.where(observed, batch.x, p.sample().clamp(*limits))
        yield Step(x, torch.where(observed, batch.x, p.mean))


def marks(steps: int) -> list[int]:
    """1, 2, 5, 10, 20, 50 and so on up to the last step, and that."""
    decades = [10**power for power in range(len(str(steps)))]
    return sorted({n * decade for decade in decades for n in MARKS if n * decade < steps} | {steps})


def is_binary(x: Tensor) -> bool:
    """Whether all pixels are 0 or 1."""
    return bool(((x == 0) | (x == 1)).all())


def draw_chain(
    model: Model,
    original: Batch,
    start: Tensor,
    observed: Tensor,
    steps: int,
    rows: dict[str, Tensor],
    title: str,
    shown: Limits,
) -> Drawing:
    """The picture of a chain: what is given, the chain's means now and then, their average.

    Args:
        model, observed, steps: See ``gibbs_chain``.
        original: The images, to whose range of values draws are clipped.
        start: What the chain starts from, ``(B, C, H, W)``.
        rows: Shown above the chain, by label, each ``(B, C, H, W)``.
        title: Of the picture.
        shown: The values that are black and white.
    """
    clipped = (float(original.x.min()), float(original.x.max()))
    chain = list(gibbs_chain(model, original._replace(x=start), observed, steps, clipped))
    means = torch.stack([step.mean for step in chain])
    average = means[steps // 2 :].mean(0)
    at, columns = marks(steps), len(start)
    labels = [*rows, *[f"step {n}" for n in at], f"mean of last {steps - steps // 2}"]
    images = torch.cat([*rows.values(), *[means[n - 1] for n in at], average])
    fixed = torch.cat([*rows.values()])
    moments = range(0, steps, max(1, steps // FRAMES))
    moving = {"start": start, **{f"step {n + 1}": means[n] for n in moments}}
    arrays = to_numpy(
        index=original.index, observed=observed.expand_as(start), original=original.x, start=start,
        x=torch.stack([step.x for step in chain]), mean=means, average=average,
    )  # fmt: skip
    above = ", ".join(rows)
    pictures = [
        (torch.cat([fixed, mean]), f"rows: {above}, {name}") for name, mean in moving.items()
    ]
    frames = animation(pictures, columns, shown)
    return Grid(title, images, columns, labels, limits=shown).drawing(arrays, frames)
