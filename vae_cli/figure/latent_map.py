"""Where the images of each class lie in a two-dimensional latent space."""

import torch
from matplotlib.figure import Figure as Canvas

from vae_cli.data.split import Split
from vae_cli.distribution.relations import mean
from vae_cli.figure.base import PALETTE, Drawing, Figure, Inapplicable, to_numpy
from vae_cli.model.base import LatentVariableModel
from vae_cli.options import PositiveInt, checked

BATCH = 500


class LatentMap(Figure):
    """The posterior means of a split's images, coloured by label. For two latent dimensions.

    Args:
        count: Number of images at most, spread over the split.
    """

    during_training = False

    @checked
    def __init__(self, count: PositiveInt = 5000) -> None:
        self.count = count

    def draw(self, model: LatentVariableModel, split: Split) -> Drawing:
        """See the base class."""
        if model.latent_dim != 2:
            raise Inapplicable("needs two latent dimensions")
        index = split.spread(self.count)
        parts = [split.batch(part).to(model.device) for part in index.split(BATCH)]
        z, y = (
            torch.cat([mean(model.encode(part)) for part in parts]).cpu(),
            split.images.labels[index].cpu(),
        )
        canvas = Canvas(figsize=(5.5, 5), dpi=200, layout="constrained")
        axes = canvas.add_subplot()
        size = 6 if len(z) > 1000 else 14
        for label in y.unique().tolist():
            points = z[y == label]
            name = "unlabelled" if label < 0 else str(label)
            color = "black" if label < 0 else PALETTE[label % len(PALETTE)]
            axes.scatter(points[:, 0], points[:, 1], s=size, color=color, label=name, linewidths=0)
        axes.set(xlabel="$z_1$", ylabel="$z_2$", title=f"means of q(z|x) of {split.name} images")
        # Never less than where the prior is, so that a collapsed posterior is seen to be one.
        reach = max(3.0, 1.05 * float(z.abs().max()))
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        if len(y.unique()) <= len(PALETTE):
            axes.legend(title="label", markerscale=2, fontsize=8, loc="center left",
                        bbox_to_anchor=(1, 0.5), frameon=False)  # fmt: skip
        return Drawing(canvas, to_numpy(z=z, label=y, index=index))
