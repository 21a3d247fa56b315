"""How heavy the tail of importance weights is."""

import math

import torch
from torch import Tensor

FEWEST = 5  # tail weights that a shape can be estimated from
EQUAL = 1e-4  # relative spread of the tail's weights below which it is rounding
PRIOR_SHAPE, PRIOR_WEIGHT = 0.5, 10  # a weak prior: few weights say little about their tail


def tail_size(samples: int) -> int:
    """Number of the largest of ``samples`` weights that count as their tail.

    (Vehtari, Simpson, Gelman, Yao & Gabry 2024, arXiv:1507.02646, section 3.)
    """
    return int(min(0.2 * samples, 3 * math.sqrt(samples)))


def pareto_shape(largest: Tensor) -> Tensor:
    r"""The shape :math:`\hat k` of a generalized Pareto distribution fitted to the tail of weights.

    The weights have :math:`1 / k` finite moments: from k = 1/2 their variance is infinite, from
    k = 1 their mean. Above 0.7 an estimate from them cannot be trusted (Vehtari et al. 2024,
    arXiv:1507.02646). The fit is that of Zhang & Stephens (2009), Technometrics 51.

    Args:
        largest: The M + 1 largest log-weights, descending, ``(M + 1, B)``; M is ``tail_size``. The
            last one is the threshold above which the tail begins.

    Returns:
        Shape ``(B,)``, float64. Equal weights have no tail: 0. NaN where M is below 5.

    Example:
        >>> from torch.distributions import Pareto
        >>> _ = torch.manual_seed(0)
        >>> weights = Pareto(torch.ones(20), 2.0).sample((100_000,))  # k = 1 / 2
        >>> largest = weights.log().sort(0, descending=True).values[: tail_size(100_000) + 1]
        >>> round(pareto_shape(largest).mean().item(), 1)
        0.5
    """
    size = len(largest) - 1
    if size < FEWEST:
        return torch.full(largest.shape[1:], torch.nan, dtype=torch.float64, device=largest.device)
    relative = torch.exp((largest - largest[0]).double())
    x = (relative[:-1] - relative[-1]).flip(0)  # ascending
    quartile = x[int(size / 4 + 0.5) - 1]
    has_tail = (quartile > 0) & (x[-1] > EQUAL)
    any_tail = torch.linspace(0.5, 1, size, dtype=x.dtype, device=x.device).unsqueeze(-1)
    x, quartile = torch.where(has_tail, x, any_tail), torch.where(has_tail, quartile, 0.5)
    steps = 30 + int(math.sqrt(size))
    grid = torch.arange(1, steps + 1, dtype=x.dtype, device=x.device).unsqueeze(-1)
    theta = 1 / x[-1] + (1 - torch.sqrt(steps / (grid - 0.5))) / (3 * quartile)  # (steps, B)
    shape = torch.log1p(-theta.unsqueeze(1) * x).mean(1)
    profile = size * (torch.log(-theta / shape) - shape - 1)
    theta = (theta * profile.softmax(0)).sum(0)
    shape = torch.log1p(-theta * x).mean(0)
    shape = (size * shape + PRIOR_WEIGHT * PRIOR_SHAPE) / (size + PRIOR_WEIGHT)
    return torch.where(has_tail, shape, 0)
