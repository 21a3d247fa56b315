"""From one image to another through the latent space."""

import torch
from torch import Tensor

from vae_cli.data.split import Split
from vae_cli.distribution.relations import mean
from vae_cli.figure.base import Drawing, Figure, Inapplicable, name_examples, to_numpy
from vae_cli.figure.ends import Picked, pick
from vae_cli.figure.grid import Grid
from vae_cli.figure.sheet import animation
from vae_cli.model.base import Model
from vae_cli.options import Tiles, checked

WAYS = ("line", "arc")


class Interpolations(Figure[Model]):
    r"""Means of p(x|z) for z between the codes a and b of two images: on a line and on an arc.

    .. math:: (1 - t)\, a + t\, b, \qquad ((1 - t)\, |a| + t\, |b|)\,
              \frac{\sin((1 - t)\, \omega)\, a / |a| + \sin(t\, \omega)\, b / |b|}{\sin \omega}

    with the angle :math:`\omega` between a and b (Shoemake 1985, Animating rotation with
    quaternion curves, for directions; lengths change evenly). In many dimensions most of N(0, I)
    lies on a sphere, which the line leaves.

    At both ends of a row stands the image itself.

    Args:
        pairs: Of images, spread over the split.
        steps: Images between, with the two ends.
        start: Where the only pair begins, if the user picks one: a position in the split, or the
            path of an image file.
        end: Where it ends, likewise.
    """

    during_training = False

    @checked
    def __init__(
        self,
        pairs: Tiles = 4,
        steps: Tiles = 10,
        start: int | str | None = None,
        end: int | str | None = None,
    ) -> None:
        self.pairs, self.steps, self.start, self.end = pairs, steps, start, end

    def draw(self, model: Model, split: Split) -> Drawing:
        """See the base class."""
        firsts, lasts = self._ends(split)
        a, b = (
            torch.cat([mean(model.encode(each.batch.to(model.device))) for each in ends])
            for ends in (firsts, lasts)
        )
        a, b = a.unsqueeze(1), b.unsqueeze(1)
        t = torch.linspace(0, 1, self.steps, device=model.device).view(1, -1, 1)
        z = torch.stack([torch.lerp(a, b, t), spherical(a, b, t)], 1)  # (pairs, 2, steps, D)
        x = model.decode(z).mean
        first, last = (
            torch.stack([each.original.to(x) for each in ends]).expand(-1, 2, *x.shape[3:])
            for ends in (firsts, lasts)
        )
        between = [f"{a.name} to {b.name}" for a, b in zip(firsts, lasts, strict=True)]
        rows = [f"{pair}, {way}" for pair in between for way in WAYS]
        heads = ["original", *[f"{share:.0%}" for share in t.flatten().tolist()], "original"]
        limits = split.treatment.limits
        images = torch.cat([first.unsqueeze(2), x, last.unsqueeze(2)], 2)
        is_of_files = isinstance(self.start, str) or isinstance(self.end, str)
        ends = "images" if is_of_files else name_examples(split)
        title = f"Between two {ends}: mean of p(x|z) on a line and on an arc through z"
        grid = Grid(title, images.flatten(0, 2), self.steps + 2, rows, heads, limits)
        pictures = [
            (x[:, :, step].flatten(0, 1), f"left: line, right: arc; {share:.0%} of the way")
            for step, share in enumerate(t.flatten().tolist())
        ]
        index = torch.cat([each.batch.index for each in (*firsts, *lasts)])
        arrays = to_numpy(index=index, first=first[:, 0], last=last[:, 0], z=z, x=x)
        return grid.drawing(arrays, animation(pictures, 2, limits=limits))

    def _ends(self, split: Split) -> tuple[list[Picked], list[Picked]]:
        """The images that rows begin and end with."""
        if self.start is not None and self.end is not None:
            return [pick(split, "start", self.start)], [pick(split, "end", self.end)]
        if self.start is not None or self.end is not None:
            option, value = ("start", self.start) if self.end is None else ("end", self.end)
            raise Inapplicable("needs the other end", option, value, "Give both start and end.")
        index = split.spread(2 * self.pairs).tolist()
        if len(index) < 2:
            raise Inapplicable("needs two images")
        pairs = len(index) // 2
        picked = [pick(split, "pairs", each) for each in index[: 2 * pairs]]
        return picked[:pairs], picked[pairs:]


def spherical(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """The arc from a to b, shapes ``(*, D)``, at t in [0, 1]; the line where they are parallel."""
    from_, to = a.norm(dim=-1, keepdim=True), b.norm(dim=-1, keepdim=True)
    # Of codes themselves, in place of their directions, a and b that are nearly opposite and not
    # equally long would have an arc that leads far away from both.
    u, v = a / from_.clamp_min(1e-12), b / to.clamp_min(1e-12)
    # An arccos would lose half of the digits where they are nearly opposite.
    angle = 2 * torch.atan2((u - v).norm(dim=-1, keepdim=True), (u + v).norm(dim=-1, keepdim=True))
    sine = torch.sin(angle)
    direction = (torch.sin((1 - t) * angle) * u + torch.sin(t * angle) * v) / sine
    return torch.where(sine.abs() < 1e-4, torch.lerp(a, b, t), torch.lerp(from_, to, t) * direction)
