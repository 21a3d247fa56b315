"""Jacobians of autoencoders, one image at a time."""

import torch
from torch import Tensor


def encoder_jacobian(code: Tensor, x: Tensor, create_graph: bool) -> Tensor:
    r""":math:`\partial z / \partial x` of each image, ``(B, D, C H W)``.

    A code depends on its own image alone, so one way back from a dimension of all codes gives that
    row of every image's Jacobian. One after the other they are faster than batched by vmap.

    Args:
        code: z, ``(B, D)``.
        x: What it was computed from, ``(B, C, H, W)``.
        create_graph: Whether the Jacobian is to be differentiable.
    """
    rows = [
        torch.autograd.grad(d.sum(), x, create_graph=create_graph, retain_graph=True)[0]
        for d in code.unbind(1)
    ]
    return torch.stack(rows, 1).flatten(2)


def decoder_jacobian(mean: Tensor, code: Tensor, create_graph: bool) -> Tensor:
    r""":math:`\partial E[x|z] / \partial z` of each image, transposed, ``(B, D, C H W)``.

    The way back from E[x|z] is linear in what it starts from. Its derivative by that is a way
    forward: one for each dimension of the code, where ways back are one for each pixel.

    Args:
        mean: E[x|z], ``(B, C, H, W)``.
        code: z, which it was computed from, ``(B, D)``.
        create_graph: Whether the Jacobian is to be differentiable.
    """
    start = torch.zeros_like(mean, requires_grad=True)
    (back,) = torch.autograd.grad(mean, code, start, create_graph=True)
    return encoder_jacobian(back, start, create_graph)
