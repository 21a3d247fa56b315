"""Whether the posterior's densities are what they claim to be."""

import copy
from collections.abc import Callable, Mapping

import torch
from torch import Size, Tensor
from torch.autograd.functional import jacobian
from torch.distributions import Distribution, MultivariateNormal

from vae_cli.analysis.base import Analysis
from vae_cli.data.split import Split
from vae_cli.distribution.flow import FlowDistribution
from vae_cli.distribution.labelled import LabelledDistribution
from vae_cli.distribution.relations import sample_with_log_prob
from vae_cli.model.base import LatentVariableModel
from vae_cli.number import known
from vae_cli.options import PositiveInt, checked

NARROWER = 0.9  # variance of the known density to that of the base: its weights are bounded


class PosteriorCheck(Analysis[LatentVariableModel]):
    r"""Holds q(z|x), as trained, against what must be true of any density. In float64.

    Of a model with labels it is q(z|x,y) for the most probable y.

    - ``posterior_log_det_error``: largest difference, nats, of a flow's log-determinant from that
      of its Jacobian by automatic differentiation;
    - ``posterior_log_prob_error``: largest difference, nats, of log q at a draw from what the
      draw came with;
    - ``posterior_normalization``: the mean over draws of p(z)/q(z|x), which is 1 for any
      normalized p. Here p is a Gaussian with the mean of q's base and 0.9 times its covariance,
      carried through the same flow with the determinants of automatic differentiation: so near to
      q that few draws tell, and owing nothing to what q says of itself.

    Args:
        images: Of the split, spread over it.
        samples: Draws of z an image.
    """

    declares = known(
        "posterior_normalization", "posterior_log_det_error", "posterior_log_prob_error",
    )  # fmt: skip

    @checked
    def __init__(self, images: PositiveInt = 8, samples: PositiveInt = 1000) -> None:
        self.images, self.samples = images, samples

    def numbers(
        self, model: LatentVariableModel, splits: Mapping[str, Split], split: str
    ) -> dict[str, float]:
        """See the base class."""
        batch = splits[split].batch(splits[split].spread(self.images)).to(model.device)
        precise = copy.deepcopy(model).double().requires_grad_(False)
        q = precise.encode(batch._replace(x=batch.x.double(), input=batch.input.double()))
        q = q.most_probable() if isinstance(q, LabelledDistribution) else q
        z, log_q = sample_with_log_prob(q, (self.samples,))
        base = q.base if isinstance(q, FlowDistribution) else q
        z_0 = base.sample(Size([self.samples]))
        claimed, found = torch.zeros_like(log_q), torch.zeros_like(log_q)
        numbers: dict[str, float] = {}
        if isinstance(q, FlowDistribution):
            claimed, found = q.flow(z_0)[1], _log_det(lambda z: q.flow(z)[0], z_0)
            numbers["posterior_log_det_error"] = (claimed - found).abs().max().item()
        return numbers | {
            "posterior_log_prob_error": (q.log_prob(z) - log_q).abs().max().item(),
            **_normalization(base, z_0, claimed - found),
            "posterior_check_images": len(batch.x),
            "posterior_check_samples": self.samples,
        }


def _log_det(function: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """log|det| of the Jacobian at each point of z, ``(S, B, D)``: ``(S, B)``."""
    # Points do not meet in a flow, so the Jacobian of their sum holds that of each.
    each = jacobian(lambda z: function(z).sum((0, 1)), z)
    return torch.linalg.slogdet(each.permute(1, 2, 0, 3)).logabsdet


def _normalization(base: Distribution, z_0: Tensor, excess: Tensor) -> dict[str, float]:
    """The mean of p/q over draws.

    Args:
        base: Of q, or q itself where it is no flow.
        z_0: Its draws, ``(S, B, D)``.
        excess: By how much q's log-determinants are larger than those found, ``(S, B)``.
    """
    samples, images, dimensions = z_0.shape
    half = samples // 2
    if half <= 2 * dimensions:
        return {}  # too few for a covariance
    mean, scale = z_0[:half].mean(0), z_0[:half].std(0)
    fitted, met = ((z_0 - mean) / scale).split([half, samples - half])
    covariance = torch.einsum("sbi,sbj->bij", fitted, fitted) / (half - 1)
    p = MultivariateNormal(torch.zeros_like(mean), NARROWER * covariance)
    log_p = p.log_prob(met) - scale.log().sum(-1)
    ratio = (log_p - base.log_prob(z_0[half:]) + excess[half:]).exp()
    error = (ratio.var(0) / len(ratio)).sum().sqrt() / images  # the images are independent
    return {
        "posterior_normalization": ratio.mean().item(),
        "posterior_normalization_se": error.item(),
    }
