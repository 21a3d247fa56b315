"""The planar maps of Rezende & Mohamed."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

from vae_cli.distribution.flow import FlowTransform

IDENTITY = math.log(math.e - 1)  # softplus(IDENTITY) = 1
NEWTON_STEPS = 60  # each at least halves the bracket or the step: enough for float64


class PlanarFlow(FlowTransform):
    r"""K maps in a row, each moving points along one direction by an amount read off another.

    .. math:: f_k(z) = z + \hat u_k\, t_k, \quad t_k = \tanh(w_k^\top z + b_k), \qquad
              \log|\det J_k| = \log(t_k^2 + (1 - t_k^2)\, s_k), \quad s_k = 1 + w_k^\top \hat u_k

    :math:`\hat u = u + (s - 1 - w^\top u)\, w / \|w\|^2` is ``u`` moved along ``w`` until
    :math:`w^\top \hat u > -1`, which makes the map invertible (Rezende & Mohamed 2015,
    arXiv:1505.05770, appendix A.1). Written so, the determinant stays positive in float32
    however negative :math:`w^\top u` is.

    The paper takes :math:`s = \mathrm{softplus}(w^\top u)`; here it is
    :math:`\mathrm{softplus}(w^\top u + \log(e - 1))`, the same family of maps with another
    origin: u = 0 is then the identity, and :math:`\hat u` stays bounded as w goes to 0, where
    the paper's grows like 0.3/‖w‖.

    Points need not be carried from map to map: since :math:`z_{k-1} = z_0 + \sum_{j<k} \hat u_j
    t_j`, all that a map has to know are the numbers :math:`w_k^\top z_0` and :math:`w_k^\top \hat
    u_j`, found for all maps at once by matrix products. What is left one after the other is a
    tanh of K numbers.

    Args:
        w, u: Directions, shape ``(*batch, K, D)``.
        b: Offsets, shape ``(*batch, K)``.
    """

    def __init__(self, w: Tensor, u: Tensor, b: Tensor) -> None:
        super().__init__()
        tiny = torch.finfo(w.dtype).tiny
        self.w, self.b = w, b
        along = (w * u).sum(-1)
        self.slack = softplus(along + IDENTITY).clamp_min(tiny)
        # slack - 1 - along, around along = 0 in a form in which nothing cancels.
        near = torch.log1p(torch.expm1(along.clamp(-1, 1)) * (1 - 1 / math.e)) - along
        excess = torch.where(along.abs() < 1, near, self.slack - 1 - along)
        norm = w.square().sum(-1).clamp_min(tiny)
        self.u_hat = u + (excess / norm).unsqueeze(-1) * w
        # (*batch, K, K), row j: what map j adds to the heights of all maps, w_k·û_j.
        self.coupling = _full_precision_einsum("...kd,...jd->...jk", w, self.u_hat)

    def transform(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """See the base class."""
        t = self._moves(z)
        squared = t.square()
        log_det = torch.log(squared + (1 - squared) * self.slack).sum(-1)
        return z + _full_precision_einsum("...k,...kd->...d", t, self.u_hat), log_det

    def path(self, z: Tensor) -> list[Tensor]:
        """See the base class."""
        steps = self._moves(z).unsqueeze(-1) * self.u_hat
        return list((z.unsqueeze(-2) + steps.cumsum(-2)).unbind(-2))

    def _moves(self, z: Tensor) -> Tensor:
        """:math:`t_k` of each map, shape ``(*, K)``."""
        heights = _full_precision_einsum("...kd,...d->...k", self.w, z) + self.b
        moves: Tensor = _Moves.apply(heights, self.coupling)
        return moves

    def _inverse(self, y: Tensor) -> Tensor:
        heights = _full_precision_einsum("...kd,...d->...k", self.w, y)
        moves: list[Tensor] = []
        for k in reversed(range(self.b.shape[-1])):
            b, slack = self.b[..., k], self.slack[..., k]
            moves.insert(0, torch.tanh(_Root.apply(b, slack, heights[..., k]) + b))
            row = self.coupling[..., k, :]
            heights = torch.addcmul(heights, row, moves[0].unsqueeze(-1), value=-1)
        return y - _full_precision_einsum("...k,...kd->...d", torch.stack(moves, -1), self.u_hat)


class _Moves(torch.autograd.Function):
    r"""The :math:`t` with :math:`t_k = \tanh(a_k + \sum_{j<k} t_j c_{jk})`.

    Its gradient is one triangular system for all K numbers, where autograd would go back through
    them one by one: with :math:`D = \mathrm{diag}(1 - t^2)` and C strictly upper triangular,
    :math:`(I - D C)\, \bar a = D\, \bar t` and :math:`\bar c_{jk} = t_j \bar a_k`.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(heights: Tensor, coupling: Tensor) -> Tensor:
        moves: list[Tensor] = []
        for row in coupling.unbind(-2):
            moves.append(torch.tanh(heights[..., len(moves)]))
            heights = torch.addcmul(heights, row, moves[-1].unsqueeze(-1))
        return torch.stack(moves, -1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(inputs[1], output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        coupling, moves = ctx.saved_tensors
        slope = (1 - moves.square()).unsqueeze(-1)
        system = -(slope * coupling).triu(1)  # its diagonal of ones is implied
        of_heights = torch.linalg.solve_triangular(
            system, slope * gradient.unsqueeze(-1), upper=True, unitriangular=True
        )
        of_coupling = (moves.unsqueeze(-1) * of_heights.mT).triu(1)
        return of_heights.squeeze(-1), of_coupling.sum_to_size(coupling.shape)


def _full_precision_einsum(equation: str, first: Tensor, second: Tensor) -> Tensor:
    with torch.autocast(first.device.type, enabled=False):
        return torch.einsum(equation, first, second)


class _Root(torch.autograd.Function):
    r"""The a with :math:`a + (s - 1) \tanh(a + b) = h`, a point's height from that of its image.

    The left side grows with a, so the root is single. Newton's steps are taken while they stay in
    a bracket and halve in length, else the bracket is halved. The gradient is that of the implicit
    function, as a formula of the root itself, so that it can be differentiated again.

    Args:
        b, slack: b and s, shape ``(*batch,)``.
        target: h, shape ``(*, *batch)``.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(b: Tensor, slack: Tensor, target: Tensor) -> Tensor:
        reach = (slack - 1).abs()
        low, high = target - reach, target + reach
        a, length = target, 2 * reach
        for _ in range(NEWTON_STEPS):
            error, slope = _residual(a, b, slack, target)
            low = torch.where(error < 0, a, low)
            high = torch.where(error < 0, high, a)
            step = error / slope
            # Without the demand on its length Newton can go in circles within the bracket.
            is_good = (a - step > low) & (a - step < high) & (2 * step.abs() < length)
            a = torch.where(is_good, a - step, (low + high) / 2)
            length = torch.where(is_good, step.abs(), (high - low) / 2)
        error, slope = _residual(a, b, slack, target)
        return a - error / slope

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs, output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        b, slack, target, a = ctx.saved_tensors
        t = torch.tanh(a + b)
        of_target = gradient / _residual(a, b, slack, target)[1]
        of_b = -of_target * (slack - 1) * (1 - t.square())
        return of_b.sum_to_size(b.shape), (-of_target * t).sum_to_size(slack.shape), of_target


def _residual(a: Tensor, b: Tensor, slack: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    t = torch.tanh(a + b)
    slope = (t.square() + (1 - t.square()) * slack).clamp_min(torch.finfo(a.dtype).tiny)
    return a + (slack - 1) * t - target, slope
