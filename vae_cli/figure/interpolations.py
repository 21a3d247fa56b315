"""From one image to another through the latent space."""

import torch
from torch import Tensor

from vae_cli.data.split import Split
from vae_cli.distribution.relations import mean
from vae_cli.figure.base import Drawing, Figure, Inapplicable, animation, sheet, to_numpy
from vae_cli.model.base import Model
from vae_cli.options import Tiles, checked


class Interpolations(Figure):
    r"""Means of p(x|z) for z between the codes a and b of two images: on a line and on an arc.

    .. math:: (1 - t)\, a + t\, b, \qquad
              \frac{\sin((1 - t)\, \omega)\, a + \sin(t\, \omega)\, b}{\sin \omega}

    with the angle :math:`\omega` between a and b (Shoemake 1985, Animating rotation with
    quaternion curves). In many dimensions most of N(0, I) lies on a sphere, which the line leaves.

    Args:
        pairs: Of images, spread over the split.
        steps: Images in a row, both ends included.
    """

    during_training = False

    @checked
    def __init__(self, pairs: Tiles = 4, steps: Tiles = 10) -> None:
        self.pairs, self.steps = pairs, steps

    def draw(self, model: Model, split: Split) -> Drawing:
        """See the base class."""
        index = split.spread(2 * self.pairs)
        if len(index) < 2:
            raise Inapplicable("needs two images")
        pairs = len(index) // 2
        codes = mean(model.encode(split.batch(index[: 2 * pairs]).to(model.device)))
        a, b = codes[:pairs].unsqueeze(1), codes[pairs:].unsqueeze(1)
        t = torch.linspace(0, 1, self.steps, device=model.device).view(1, -1, 1)
        z = torch.stack([torch.lerp(a, b, t), spherical(a, b, t)], 1)  # (pairs, 2, steps, D)
        x = model.decode(z).mean
        labels = ["line", "arc"] * pairs
        title = f"between two {split.name} images: mean of p(x|z)"
        canvas = sheet(x.flatten(0, 2), self.steps, title, labels, limits=split.treatment.limits)
        pictures = [
            (x[:, :, step].flatten(0, 1), f"left: line, right: arc; {share:.0%} of the way")
            for step, share in enumerate(t.flatten().tolist())
        ]
        arrays = to_numpy(index=index[: 2 * pairs], z=z, x=x)
        return Drawing(canvas, arrays, animation(pictures, 2, limits=split.treatment.limits))


def spherical(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """The arc from a to b, shapes ``(*, D)``, at t in [0, 1]; the line where they are parallel."""
    norms = a.norm(dim=-1, keepdim=True) * b.norm(dim=-1, keepdim=True)
    cosine = ((a * b).sum(-1, keepdim=True) / norms.clamp_min(1e-12)).clamp(-1, 1)
    angle = torch.arccos(cosine)
    sine = torch.sin(angle)
    arc = (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / sine
    return torch.where(sine.abs() < 1e-4, torch.lerp(a, b, t), arc)
