"""The Gaussian likelihood, for grey levels and other real values."""

import math
from typing import Literal

import torch
from torch import Size, Tensor, nn
from torch.distributions import Independent, Normal, constraints
from torch.nn.functional import softplus

from vae_cli.likelihood.base import Likelihood
from vae_cli.options import PositiveFloat, checked


class GaussianLikelihood(Likelihood):
    r"""Each value is Gaussian: the full density, :math:`\log 2\pi` included.

    A scale that is learned can't fall below ``min_scale``: where a pixel is the same in every
    image, the likelihood would grow without bound as its scale went to 0. The log-scale is
    ``log(min_scale) + softplus(a - log(min_scale))`` for a free number a, so that scales well
    above the bound are simply exp(a).

    A mean in (0, 1), the logistic function of what the decoder says, suits images that are grey
    values (Kingma & Welling 2014, arXiv:1312.6114, section 5); the density stays that of a
    Gaussian, on all real numbers.

    Args:
        shape: Shape of one example.
        scale: Standard deviation in units of the data: ``learned`` (an output of the decoder for
            each value), ``shared`` (one parameter, starting at 1), or a fixed number.
        min_scale: Smallest scale that can be learned.
        mean: ``identity``, what the decoder says, or ``sigmoid`` of it.
    """

    support = constraints.real

    @checked
    def __init__(
        self,
        shape: Size,
        scale: Literal["learned", "shared"] | PositiveFloat = "learned",
        min_scale: PositiveFloat = 0.01,
        mean: Literal["identity", "sigmoid"] = "identity",
    ) -> None:
        super().__init__(shape)
        self.parameters_per_value = 2 if scale == "learned" else 1
        self.scale, self.mean = scale, mean
        self.min_scale, self.log_min_scale = min_scale, math.log(min_scale)
        self.log_scale = nn.Parameter(torch.zeros(())) if scale == "shared" else None

    def forward(self, parameters: Tensor) -> Independent:
        """See the base class."""
        loc, *free = parameters.unbind(-1 - self.dims)
        if self.mean == "sigmoid":
            loc = loc.sigmoid()
        normal = Normal(loc, self._scale(loc, free), validate_args=False)
        return Independent(normal, self.dims, validate_args=False)

    def _scale(self, loc: Tensor, free: list[Tensor]) -> Tensor:
        if isinstance(self.scale, (int, float)):
            return torch.full((), self.scale, dtype=loc.dtype, device=loc.device)
        free_log_scale = free[0] if self.log_scale is None else self.log_scale
        bounded = self.log_min_scale + softplus(free_log_scale - self.log_min_scale)
        return torch.exp(bounded)
