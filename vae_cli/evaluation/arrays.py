"""Arrays of a user's as the tensors that a model takes, and back."""

from typing import TypeVar

import numpy as np
import torch
from omegaconf import DictConfig
from torch import Size, Tensor

from vae_cli.errors import VaeCliError
from vae_cli.example import example_kind

Array = TypeVar("Array", np.ndarray, Tensor)
Labels = int | np.ndarray | Tensor
ONE = {"image": "an image", "vector": "a vector", "sequence": "a sequence"}
BYTES = 255  # the brightest grey level of usual files


def numbers(name: str, value: np.ndarray | Tensor) -> Tensor:
    """An array or a tensor as float32.

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


def examples(config: DictConfig, x: np.ndarray | Tensor) -> Tensor:
    """Examples for the model of a run as ``(N, *shape)``, float32.

    Raises:
        VaeCliError: If they have another shape, or grey levels where the run has values up to 1.
    """
    images, shape = numbers("x", x), Size(config.derived.shape)
    if images.shape[-len(shape) :] != shape or images.dim() > len(shape) + 1 or not len(images):
        fits = shape[0] == 1 and images.numel() and not images.numel() % shape.numel()
        sizes = ", ".join(map(str, shape))
        raise VaeCliError(
            f"x: has shape {tuple(images.shape)}, and {ONE[example_kind(shape)]} of the run "
            f"({sizes}). " + (f"Try x.reshape(-1, {sizes})." if fits else f"Try (N, {sizes}).")
        )
    top, brightest = _white(config, x), images.max().item()
    if top is not None and brightest > 1 and (images == images.round()).all():
        white = next((each for each in (top, BYTES) if brightest <= each), brightest)
        raise VaeCliError(
            f"x: holds grey levels up to {brightest:g}, and the model knows values from 0 to 1. "
            f"Try x / {white:g}."
        )
    return images.reshape(-1, *shape)


def _white(config: DictConfig, x: np.ndarray | Tensor) -> float | None:
    """The stored value that became 1, if x may hold stored values; else None."""
    levels, is_bytes = config.derived.levels, str(x.dtype).endswith("uint8")
    scale: float | None = config.data.get("scale") if is_bytes else None
    return scale if levels is None else levels - 1


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
