r"""The four energies of Rezende & Mohamed 2015 (arXiv:1505.05770, table 1).

The last three do not grow along :math:`z_1`: taken as they stand, no density belongs to them. The
paper shows them on :math:`[-4, 4]^2` and does not say what it did. Here a wall, a parabola beyond
:math:`|z_1| = 4`, is added to them: inside, they are as printed.
"""

import math

import torch
from torch import Tensor

from vae_cli.energy.base import Energy

EDGE = 4.0  # |z_1| at which the wall begins: where the paper's pictures end
WALL_SCALE = 0.4  # standard deviation of the density's end beyond the edge


class TwoMoons(Energy):
    r"""Two crescents of a ring.

    .. math:: U_1(z) = \tfrac12 \Big(\frac{\|z\| - 2}{0.4}\Big)^2 - \log\Big(
              e^{-\frac12 (\frac{z_1 - 2}{0.6})^2} + e^{-\frac12 (\frac{z_1 + 2}{0.6})^2}\Big)
    """

    def __call__(self, z: Tensor) -> Tensor:
        """See the base class."""
        ring = _squared(torch.linalg.vector_norm(z, dim=-1) - 2, 0.4)
        sides = torch.logaddexp(-_squared(z[..., 0] - 2, 0.6), -_squared(z[..., 0] + 2, 0.6))
        return ring - sides


class Wave(Energy):
    r"""A band along a sine.

    .. math:: U_2(z) = \tfrac12 \Big(\frac{z_2 - w_1(z)}{0.4}\Big)^2, \quad
              w_1(z) = \sin\frac{2 \pi z_1}{4}
    """

    def __call__(self, z: Tensor) -> Tensor:
        """See the base class."""
        return _squared(_height(z), 0.4) + _wall(z)


class ForkedWave(Energy):
    r"""The same with a second band, which leaves the first and comes back to it.

    .. math:: U_3(z) = -\log\Big(e^{-\frac12 (\frac{z_2 - w_1(z)}{0.35})^2}
              + e^{-\frac12 (\frac{z_2 - w_1(z) + w_2(z)}{0.35})^2}\Big), \quad
              w_2(z) = 3 e^{-\frac12 (\frac{z_1 - 1}{0.6})^2}
    """

    def __call__(self, z: Tensor) -> Tensor:
        """See the base class."""
        height, drop = _height(z), 3 * torch.exp(-_squared(z[..., 0] - 1, 0.6))
        bands = torch.logaddexp(-_squared(height, 0.35), -_squared(height + drop, 0.35))
        return _wall(z) - bands


class SplitWave(Energy):
    r"""The same with a second band, which leaves the first for good.

    .. math:: U_4(z) = -\log\Big(e^{-\frac12 (\frac{z_2 - w_1(z)}{0.4})^2}
              + e^{-\frac12 (\frac{z_2 - w_1(z) + w_3(z)}{0.35})^2}\Big), \quad
              w_3(z) = 3 \sigma\Big(\frac{z_1 - 1}{0.3}\Big)
    """

    def __call__(self, z: Tensor) -> Tensor:
        """See the base class."""
        height, drop = _height(z), 3 * torch.sigmoid((z[..., 0] - 1) / 0.3)
        bands = torch.logaddexp(-_squared(height, 0.4), -_squared(height + drop, 0.35))
        return _wall(z) - bands


def _squared(distance: Tensor, scale: float) -> Tensor:
    return 0.5 * (distance / scale).square()


def _height(z: Tensor) -> Tensor:
    """Above the sine."""
    return z[..., 1] - torch.sin(2 * math.pi * z[..., 0] / 4)


def _wall(z: Tensor) -> Tensor:
    return _squared((z[..., 0].abs() - EDGE).clamp_min(0), WALL_SCALE)
