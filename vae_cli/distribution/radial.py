"""The radial map of Rezende & Mohamed."""

import torch
from torch import Tensor
from torch.linalg import vector_norm

from vae_cli.distribution.flow import FlowTransform


class RadialTransform(FlowTransform):
    r"""Contracts or expands space around a point.

    .. math:: f(z) = z + \beta \frac{z - z_0}{\alpha + r}, \quad r = \|z - z_0\|, \qquad
              \log|\det J| = (D - 1) \log\frac{r + s}{\alpha + r}
                             + \log\frac{r^2 + 2 \alpha r + \alpha s}{(\alpha + r)^2}

    with :math:`s = \alpha + \beta`. The map is invertible where :math:`\beta > -\alpha`
    (Rezende & Mohamed 2015, arXiv:1505.05770, appendix A.2), which is s > 0; the determinant is
    theirs, written in sums of positive numbers so that nothing cancels in float32.

    Args:
        center: :math:`z_0`, shape ``(*batch, D)``.
        alpha: :math:`\alpha > 0`, the radius within which the map is nearly linear, ``(*batch,)``.
        s: :math:`\alpha + \beta > 0`, shape ``(*batch,)``; s = alpha is the identity.
    """

    def __init__(self, center: Tensor, alpha: Tensor, s: Tensor) -> None:
        super().__init__()
        tiny = torch.finfo(center.dtype).tiny ** (1 / 3)  # products of two do not underflow
        self.center, self.alpha, self.s = center, alpha.clamp_min(tiny), s.clamp_min(tiny)

    def transform(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """See the base class."""
        offset = z - self.center
        r = vector_norm(offset, dim=-1)
        outer, inner = self.alpha + r, r + self.s
        log_stretch = torch.log(inner) - torch.log(outer)  # across the radius, D - 1 times
        log_radial = torch.log(r * (r + 2 * self.alpha) + self.alpha * self.s) - 2 * torch.log(
            outer
        )
        stretched = self.center + offset * (inner / outer).unsqueeze(-1)
        return stretched, (z.shape[-1] - 1) * log_stretch + log_radial

    def path(self, z: Tensor) -> list[Tensor]:
        """See the base class."""
        return [self.transform(z)[0]]

    def _inverse(self, y: Tensor) -> Tensor:
        r"""With :math:`R = \|y - z_0\|` the radius solves :math:`r^2 + (s - R) r - \alpha R = 0`.

        Of the two ways to write the positive root, each side of R = s takes the one that adds.
        """
        offset = y - self.center
        radius = vector_norm(offset, dim=-1)
        p = radius - self.s
        root = torch.sqrt(p.square() + 4 * self.alpha * radius)
        outside = p > 0
        r = torch.where(
            outside,
            (p + root) / 2,
            2 * self.alpha * radius / torch.where(outside, torch.ones_like(p), root - p),
        )
        return self.center + offset * ((self.alpha + r) / (r + self.s)).unsqueeze(-1)
