"""Arrays of a user's as the tensors that a model takes, and back."""

from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from vae_cli.errors import VaeCliError

Array = TypeVar("Array", np.ndarray, Tensor)
Labels = int | np.ndarray | Tensor


def numbers(name: str, value: np.ndarray | Tensor) -> Tensor:
    """An array or a tensor as float32.

    Args:
        name: Of the argument.
        value: As it was given.

    Raises:
        VaeCliError: If it is neither, or holds something other than finite numbers.
    """
    if isinstance(value, Tensor) and not value.is_complex():
        found = value.detach().float()
    elif isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        found = torch.from_numpy(np.array(value, np.float32, order="C"))
    else:
        kind = value.dtype if isinstance(value, (Tensor, np.ndarray)) else type(value).__name__
        raise VaeCliError(f"{name}: needs a numpy array or a tensor of numbers, not {kind}.")
    if not found.isfinite().all():
        raise VaeCliError(f"{name}: has values that are NaN or infinite.")
    return found


def labels(y: Labels, count: int, classes: int) -> Tensor:
    """Labels as int64, ``()`` or ``(count,)``.

    Raises:
        VaeCliError: If they are no labels of so many classes, or neither one nor ``count``.
    """
    given = y.detach().cpu().numpy() if isinstance(y, Tensor) else np.asarray(y)
    if given.dtype.kind not in "iu" or not given.size or given.min() < 0 or given.max() >= classes:
        raise VaeCliError(f"y: needs whole numbers from 0 to {classes - 1}.")
    if given.shape not in ((), (count,)):
        raise VaeCliError(f"y: has shape {given.shape}. Try one label, or one for each of {count}.")
    return torch.from_numpy(given.astype(np.int64))


def like(given: Array, found: Tensor, batch_shape: tuple[int, ...]) -> Array:
    """What was found of each of N, ``(N, *)``, as an array or a tensor as the given one is."""
    found = found.reshape((*batch_shape, *found.shape[1:]))
    return found.to(given.device) if isinstance(given, Tensor) else found.cpu().numpy()
