"""What z says of x, and how far its distribution over all images is from the prior."""

import math
from collections.abc import Mapping
from typing import Annotated

import torch
from torch import Tensor

from vae_cli.analysis.base import Analysis
from vae_cli.data.split import Split
from vae_cli.distribution.relations import sample_with_log_prob
from vae_cli.model.base import LatentVariableModel
from vae_cli.number import known
from vae_cli.options import AtLeast, Draws, checked

PAIRS = 50_000  # densities of a draw given an image that are computed at once


class MutualInformation(Analysis[LatentVariableModel]):
    r"""Bounds on :math:`I_q(x; z)` and on the marginal KL, nats (Hoffman & Johnson 2016).

    The bound's KL term is their sum: :math:`E_x \mathrm{KL}(q(z|x) \| p(z)) = I_q(x; z) +
    \mathrm{KL}(q(z) \| p(z))` with :math:`q(z) = E_x q(z|x)`. From one draw :math:`z_i` of each of
    N images,

    .. math:: \log q(z_i|x_i) - \log \frac1N \sum_j q(z_i|x_j)

    is in the mean no larger than :math:`I_q`, nor than log N, whatever :math:`I_q` is; with the
    image itself left out of the average it is in the mean no smaller (Poole et al. 2019,
    arXiv:1905.06922, section 2). The first is Hoffman & Johnson's index-code mutual information
    of these N images. For the marginal KL the bounds change sides.

    Args:
        images: N at most, spread over the split; the cost grows with its square.
    """

    declares = known(
        "mutual_information_lower", "mutual_information_upper", "marginal_kl_lower",
        "marginal_kl_upper",
    )  # fmt: skip

    @checked
    def __init__(self, images: Annotated[Draws, AtLeast(2)] = 1000) -> None:
        self.images = images

    @torch.no_grad()
    def numbers(
        self, model: LatentVariableModel, splits: Mapping[str, Split], split: str
    ) -> dict[str, float]:
        """See the base class."""
        index = splits[split].spread(self.images)
        if len(index) < 2:
            return {}
        log_q, log_q_own, log_p = _densities(model, splits[split], index)
        log_q.diagonal().copy_(log_q_own)
        with_own = torch.logsumexp(log_q, 1) - math.log(len(index))
        others = log_q.fill_diagonal_(-torch.inf)
        without = torch.logsumexp(others, 1) - math.log(len(index) - 1)
        return {
            **_mean_and_error("mutual_information_lower", log_q_own - with_own),
            **_mean_and_error("mutual_information_upper", log_q_own - without),
            **_mean_and_error("marginal_kl_lower", without - log_p),
            **_mean_and_error("marginal_kl_upper", with_own - log_p),
            "mutual_information_images": len(index),
        }


def _densities(
    model: LatentVariableModel, split: Split, index: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """log q(z_i|x_j), ``(N, N)``; log q(z_i|x_i) and log p(z_i), ``(N,)``: float64."""
    parts = index.split(max(1, PAIRS // len(index)))
    posteriors = [model.encode(split.batch(part).to(model.device)) for part in parts]
    draws, own = zip(*(sample_with_log_prob(q) for q in posteriors), strict=True)
    z = torch.cat(draws)
    pairs = torch.cat([q.log_prob(z.unsqueeze(1)) for q in posteriors], 1)
    return pairs.double(), torch.cat(own).double(), model.prior().log_prob(z).double()


def _mean_and_error(name: str, values: Tensor) -> dict[str, float]:
    return {name: values.mean().item(), f"{name}_se": (values.std() / len(values) ** 0.5).item()}
