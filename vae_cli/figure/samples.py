"""Images the model makes up."""

import torch
from torch import Size, Tensor
from torch.distributions import Distribution

from vae_cli.data.split import Split
from vae_cli.distribution.latent import Latent
from vae_cli.distribution.mixture import fit_mixture
from vae_cli.distribution.normal import StandardNormal
from vae_cli.distribution.relations import mean
from vae_cli.figure.base import Drawing, Figure, name_examples, to_numpy
from vae_cli.figure.grid import Grid
from vae_cli.figure.panels import sheets
from vae_cli.figure.sheet import INCH
from vae_cli.model.base import LatentVariableModel, Model
from vae_cli.model.codes import codes_of
from vae_cli.options import PositiveFloat, Tiles, checked

CODES = 5000  # at most, to which densities are fitted


def draw_latents(prior: Distribution, count: int, temperature: float, latent_dim: int) -> Tensor:
    """Events drawn from the prior, ``(count, latent_dim)``, or more where it has labels.

    Args:
        prior: Batch shape ``()``.
        count: How many.
        temperature: By which their distance from the prior's mean is multiplied; not a label's.
        latent_dim: Number of dimensions of z.
    """
    z = prior.sample(Size([count]))
    center = mean(prior)
    tempered = center + temperature * (z - center)
    return Latent.of(z, latent_dim)._replace(z=Latent.of(tempered, latent_dim).z).event


def densities(model: Model, split: Split, components: int) -> dict[str, Distribution]:
    """What z may be drawn from, by name: the prior; of a model without one, three guesses.

    A Gaussian and a mixture of Gaussians are fitted to the codes of the split: ex-post density
    estimation (Ghosh et al. 2020, arXiv:1903.12436, section 4).
    """
    if isinstance(model, LatentVariableModel):
        return {"the prior": model.prior()}
    codes = codes_of(model, split, split.spread(CODES))
    few = min(components, len(codes))
    return {
        "N(0, I)": StandardNormal(codes.new_zeros(model.latent_dim)),
        "a Gaussian fitted to codes": fit_mixture(codes, 1),
        f"a mixture of {few} Gaussians fitted to codes": fit_mixture(codes, few),
    }


def chosen_pixels(p: Distribution, draw: bool) -> Tensor:
    """A draw from p(x|z), or its mean."""
    return p.sample() if draw else p.mean


class Samples(Figure[Model]):
    """Means of p(x|z), or draws from it, for z from the prior.

    Of a model without a prior, such as an autoencoder, for z from N(0, I), from a Gaussian fitted
    to codes of the split's images, and from a mixture of Gaussians fitted to them.

    Args:
        rows: Rows, and columns, of the grid.
        temperature: Of z: below 1 images are more typical and less varied.
        components: Gaussians of the mixture, where a model has no prior.
        draw: Show draws from p(x|z) in place of its means.
    """

    during_training = True
    starts_from_prior = True

    @checked
    def __init__(
        self,
        rows: Tiles = 10,
        temperature: PositiveFloat = 1.0,
        components: Tiles = 10,
        draw: bool = False,
    ) -> None:
        self.rows, self.temperature, self.components = rows, temperature, components
        self.draws_pixels = draw

    def draw(self, model: Model, split: Split) -> Drawing:
        """See the base class."""
        sources = densities(model, split, self.components)
        z = [
            draw_latents(p, self.rows**2, self.temperature, model.latent_dim)
            for p in sources.values()
        ]
        x = [chosen_pixels(model.decode(each), self.draws_pixels) for each in z]
        what = "draws from p(x|z)" if self.draws_pixels else "means of p(x|z)"
        heat = "" if self.temperature == 1 else f", temperature {self.temperature:g}"
        limits = split.treatment.limits
        if len(sources) == 1:
            title = f"Samples: {what}, z drawn from the prior{heat}"
            grid = Grid(title, x[0], self.rows, limits=limits)
            return grid.drawing(to_numpy(z=z[0], x=x[0]))
        title = f"Samples of a model without a prior: {what}{heat}; codes of {name_examples(split)}"
        grids = [(f"z from {name}", images) for name, images in zip(sources, x, strict=True)]
        arrays = to_numpy(z=torch.stack(z), x=torch.stack(x))
        return Drawing(sheets(grids, self.rows, title, self.rows * INCH, limits), arrays)
