"""What the model expects to see again of an image, and how sure it is."""

from typing import Annotated

import torch
from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.split import Split
from vae_cli.figure.base import Drawing, Figure, check_pixels, sheet, to_numpy
from vae_cli.model.base import LatentVariableModel, Model
from vae_cli.options import AtLeast, Draws, Tiles, checked


class PosteriorPredictive(Figure):
    r"""Means of p(x'|z) for draws of z from q(z|x); the mean and standard deviation of x' itself.

    x' is another image of the same z: its distribution is :math:`\int p(x'|z) q(z|x) dz`.

    Args:
        count: Number of images, spread over the split.
        draws: Of z shown for each.
        samples: Draws of z that mean and standard deviation are estimated by.
    """

    model_class = LatentVariableModel
    during_training = False

    @checked
    def __init__(
        self,
        count: Tiles = 10,
        draws: Tiles = 4,
        samples: Annotated[Draws, AtLeast(2)] = 200,
    ) -> None:
        self.count, self.draws, self.samples = count, draws, samples

    def draw(self, model: Model, split: Split) -> Drawing:
        """See the base class."""
        check_pixels(split)
        index = split.spread(self.count)
        batch = split.batch(index).to(model.device)
        q = model.encode(batch)
        draws = torch.cat([model.decode(q.sample()).mean for _ in range(self.draws)])
        mean, scale = predictive_moments(model, q, self.samples)
        # It has no natural maximum, and must be seen.
        unit = max(float(scale.max()), torch.finfo(scale.dtype).tiny)
        labels = [
            split.treatment.label, *[f"draw {n + 1}" for n in range(self.draws)],
            "predictive mean", f"standard deviation\n(white: {unit:.2g})",
        ]  # fmt: skip
        images = torch.cat([batch.x, draws, mean, scale / unit])
        title = f"{split.name} images seen again: means of p(x|z) for z drawn from q(z|x)"
        canvas = sheet(images, len(index), title, labels)
        draws = draws.unflatten(0, (self.draws, len(index)))
        arrays = to_numpy(index=index, x=batch.x, draws=draws, mean=mean, scale=scale)
        return Drawing(canvas, arrays)


def predictive_moments(model: Model, q: Distribution, samples: int) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each pixel under E_q[p(x|z)], each ``(B, C, H, W)``.

    Var x = E_q[Var(x|z)] + Var_q(E[x|z]), the law of total variance.

    Args:
        model: Whose p(x|z).
        q: Batch shape ``(B,)``.
        samples: Draws of z for each, two at least.
    """
    p = [model.decode(q.sample()) for _ in range(samples)]
    means = torch.stack([each.mean for each in p])
    within = torch.stack([each.variance for each in p]).mean(0)
    return means.mean(0), (within + means.var(0)).sqrt()
