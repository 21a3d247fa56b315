"""What the model expects to see again of an image, and how sure z makes it."""

from typing import Annotated

import torch
from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.split import Split
from vae_cli.figure.base import Drawing, Figure, name_examples, to_numpy
from vae_cli.figure.grid import Grid
from vae_cli.model.base import LatentVariableModel
from vae_cli.options import AtLeast, Draws, Tiles, checked


class PosteriorPredictive(Figure[LatentVariableModel]):
    r"""Means of p(x'|z) for draws of z from q(z|x); their mean and standard deviation over z.

    x' is another image of the same z. The mean is that of x' under :math:`\int p(x'|z) q(z|x) dz`.
    The standard deviation is that of E[x'|z], :math:`\sqrt{\mathrm{Var}_q(E[x'|z])}`: where
    q(z|x) leaves open what is seen again. That of x' itself would say no more than the mean of
    binary pixels, whose variance is m (1 - m).

    Args:
        count: Number of images, spread over the split.
        draws: Of z shown for each.
        samples: Draws of z that mean and standard deviation are estimated by.
    """

    kinds = frozenset({"image"})
    during_training = False

    @checked
    def __init__(
        self,
        count: Tiles = 10,
        draws: Tiles = 4,
        samples: Annotated[Draws, AtLeast(2)] = 200,
    ) -> None:
        self.count, self.draws, self.samples = count, draws, samples

    def draw(self, model: LatentVariableModel, split: Split) -> Drawing:
        """See the base class."""
        index = split.spread(self.count)
        batch = split.batch(index).to(model.device)
        q = model.encode(batch)
        draws = torch.cat([model.decode(q.sample()).mean for _ in range(self.draws)])
        mean, deviation = moments_over_z(model, q, self.samples)
        # It has no natural maximum, and must be seen.
        unit = max(float(deviation.max()), torch.finfo(deviation.dtype).tiny)
        labels = [
            split.treatment.label, *[f"draw {n + 1}" for n in range(self.draws)],
            "mean over z", f"standard deviation\nover z (white: {unit:.2g})",
        ]  # fmt: skip
        low, high = limits = split.treatment.limits
        images = torch.cat([batch.x, draws, mean, low + (high - low) * deviation / unit])
        title = (
            f"Posterior predictive of {name_examples(split)}: means of p(x|z), z drawn from q(z|x)"
        )
        grid = Grid(title, images, len(index), labels, limits=limits)
        draws = draws.unflatten(0, (self.draws, len(index)))
        arrays = to_numpy(index=index, x=batch.x, draws=draws, mean=mean, deviation=deviation)
        return grid.drawing(arrays)


def moments_over_z(
    model: LatentVariableModel, q: Distribution, samples: int
) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation over z ~ q of E[x|z] of each pixel, each ``(B, C, H, W)``.

    Args:
        model: Whose p(x|z).
        q: Batch shape ``(B,)``.
        samples: Independent draws of z for each, two at least.
    """
    means = torch.stack([model.decode(q.sample()).mean for _ in range(samples)])
    return means.mean(0), means.std(0)
