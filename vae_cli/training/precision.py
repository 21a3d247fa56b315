"""How precisely float32 matrices are multiplied while a model is trained."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch

MatmulPrecision = Literal["highest", "high", "medium"]


@contextmanager
def matmul_precision(precision: MatmulPrecision) -> Iterator[None]:
    """Sets the precision of products of float32 matrices, and restores it afterwards.

    Weights, activations and sums stay in float32; only what is multiplied is rounded.

    Args:
        precision: In torch's words: ``highest`` is float32, ``high`` 10 bits of mantissa (TF32),
            ``medium`` 7 bits (bfloat16), each where the device has instructions for it.

    Example:
        >>> with matmul_precision("high"):
        ...     torch.get_float32_matmul_precision()
        'high'
        >>> torch.get_float32_matmul_precision()
        'highest'
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def changes_products(precision: MatmulPrecision, device: torch.device) -> bool:
    """Tries whether a precision changes the products of a device."""
    source = torch.Generator().manual_seed(0)
    left, right = torch.randn(2, 256, 256, generator=source).to(device)
    with matmul_precision("highest"):
        exact = left @ right
    with matmul_precision(precision):
        return not torch.equal(left @ right, exact)
