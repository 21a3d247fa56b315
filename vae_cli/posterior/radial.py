"""The posterior of radial flows."""

from typing import Annotated

from torch import Tensor
from torch.nn.functional import softplus

from vae_cli.distribution.flow import FlowDistribution
from vae_cli.distribution.normal import DiagonalNormal
from vae_cli.distribution.radial import RadialTransform
from vae_cli.options import COUNTABLE, AtLeast, checked
from vae_cli.posterior.base import Posterior


class RadialPosterior(Posterior):
    r"""A diagonal Gaussian pushed through radial maps (Rezende & Mohamed 2015, arXiv:1505.05770).

    The encoder gives each image its own centres :math:`z_0`, :math:`\alpha` and :math:`s`, the
    latter two through a softplus; equal ones, as at the start of training, give the identity.

    Args:
        latent_dim: D.
        flow_length: Number K of maps; the cost grows linearly.
    """

    @checked
    def __init__(
        self,
        latent_dim: int,
        flow_length: Annotated[int, AtLeast(1, "Try {}=diagonal for none."), COUNTABLE],
    ) -> None:
        super().__init__()
        self.latent_dim, self.flow_length = latent_dim, flow_length
        self.parameter_count = 2 * latent_dim + flow_length * (latent_dim + 2)

    def forward(self, features: Tensor) -> FlowDistribution:
        """See the base class."""
        d = self.latent_dim
        base, flow = features.split([2 * d, self.parameter_count - 2 * d], dim=-1)
        maps = flow.unflatten(-1, (self.flow_length, d + 2))
        centers, radii = maps[..., :d].unbind(-2), softplus(maps[..., d:]).unbind(-2)
        transforms = [
            RadialTransform(center, radius[..., 0], radius[..., 1])
            for center, radius in zip(centers, radii, strict=True)
        ]
        return FlowDistribution(DiagonalNormal(*base.chunk(2, dim=-1)), transforms)
