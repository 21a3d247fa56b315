"""The chain that goes back and forth between an image and its z."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from vae_cli.data.batch import Batch
from vae_cli.figure.base import Drawing, frame, sheet, to_numpy
from vae_cli.model.base import LatentVariableModel

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
    model: LatentVariableModel, batch: Batch, observed: Tensor, steps: int
) -> Iterator[Step]:
    """Draws z ~ q(z|x) and x ~ p(x|z) in turn, keeping the observed pixels as they are.

    Were q(z|x) the true posterior, this would be Gibbs sampling: the images would end up as draws
    of the missing pixels given the observed ones (Rezende et al. 2014, arXiv:1401.4082, appendix
    on the imputation of missing data). Nothing is clipped: a Gaussian's draws may leave the range
    of grey values, and its conditional distribution would otherwise be another one.

    Args:
        model: In evaluation mode.
        batch: The images to start from, what is to be imputed filled in with anything.
        observed: Where pixels are kept, boolean, of the shape of ``batch.x`` or expandable to it.
        steps: How many pairs of draws.
    """
    x = batch.x
    for _ in range(steps):
        p = model.decode(model.encode(batch._replace(x=x, input=x)).sample(), batch.y)
        x = torch.where(observed, batch.x, p.sample())
        yield Step(x, torch.where(observed, batch.x, p.mean))


def marks(steps: int) -> list[int]:
    """1, 2, 5, 10, 20, 50 and so on up to the last step, and that."""
    decades = [10**power for power in range(len(str(steps)))]
    return sorted({n * decade for decade in decades for n in MARKS if n * decade < steps} | {steps})


def is_binary(x: Tensor) -> bool:
    """Whether all pixels are 0 or 1."""
    return bool(((x == 0) | (x == 1)).all())


def draw_chain(
    model: LatentVariableModel,
    start: Batch,
    observed: Tensor,
    steps: int,
    shown: dict[str, Tensor],
    title: str,
) -> Drawing:
    """The picture of a chain: what is given, the chain's means now and then, their average.

    Args:
        model, observed, steps: See ``gibbs_chain``.
        start: Its batch.
        shown: Rows above the chain's, by label, each ``(B, C, H, W)``.
        title: Of the picture.
    """
    chain = list(gibbs_chain(model, start, observed, steps))
    means = torch.stack([step.mean for step in chain])
    average = means[steps // 2 :].mean(0)
    at = marks(steps)
    rows = [*shown.values(), *[means[n - 1] for n in at], average]
    labels = [*shown, *[f"step {n}" for n in at], f"mean of last {steps - steps // 2}"]
    columns = len(start.x)
    canvas = sheet(torch.cat(rows), columns, title, labels)
    fixed = torch.cat(list(shown.values()))
    moving = [start.x, *means[:: max(1, steps // FRAMES)]]
    frames = [frame(torch.cat([fixed, mean]), columns) for mean in moving]
    arrays = to_numpy(
        index=start.index, observed=observed.expand_as(start.x), start=start.x,
        x=torch.stack([step.x for step in chain]), mean=means, average=average,
    )  # fmt: skip
    return Drawing(canvas, arrays, frames)
