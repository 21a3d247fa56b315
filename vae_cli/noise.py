"""Random numbers as a function of what they are for, so that no state has to be saved.

Everything random names its stream, ``("train", seed, step, rank)`` say, and the stream's name is
its seed. Runs then resume, evaluations repeat, and the number of processes does not matter.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor


def stream_seed(*stream: object) -> int:
    """A 63-bit seed for a stream of noise; different names give unrelated seeds."""
    digest = hashlib.blake2b(repr(stream).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(device: torch.device | str, *stream: object) -> torch.Generator:
    """A separate generator for the stream."""
    return torch.Generator(device).manual_seed(stream_seed(*stream))


@contextmanager
def stream(device: torch.device, *names: object) -> Iterator[None]:
    """Draws of the device's default generator come from a stream; afterwards its own continue.

    Example:
        >>> cpu = torch.device("cpu")
        >>> with stream(cpu, "example", 0):
        ...     first = torch.randn(3)
        >>> with stream(cpu, "example", 0):
        ...     print(torch.equal(torch.randn(3), first))
        True
    """
    default = _default_generator(device)
    state = default.get_state()
    seed_draws(device, *names)
    try:
        yield
    finally:
        default.set_state(state)


def seed_draws(device: torch.device, *stream: object) -> None:
    """Points the device's default generator, which torch.distributions draws from, at a stream.

    For the steps of training, which nothing else draws beside: elsewhere, ``stream`` restores it.
    Much cheaper than ``torch.manual_seed``, which visits every device.
    """
    if device.type in ("cpu", "cuda"):
        _default_generator(device).manual_seed(stream_seed(*stream))
    else:
        torch.manual_seed(stream_seed(*stream))


def _default_generator(device: torch.device) -> torch.Generator:
    """The generator that draws on a device, or the CPU's where torch keeps no list of them."""
    is_cuda = device.type == "cuda"
    return torch.cuda.default_generators[device.index or 0] if is_cuda else torch.default_generator


def draw_int16(shape: torch.Size, source: torch.Generator) -> Tensor:
    """Independent draws, uniform over all 65,536 values of int16.

    Four of them are the bits of one draw of 64 bits, which takes a third of the time of
    ``torch.rand``.

    Args:
        shape: Shape of the result.
        source: Draws on its device.

    Example:
        >>> draw_int16(torch.Size([2, 3]), generator("cpu", "example")).dtype
        torch.int16
    """
    count = shape.numel()
    words = torch.empty((count + 3) // 4, dtype=torch.int64, device=source.device)
    # Without its bounds, random_ leaves out the sign bit.
    words.random_(torch.iinfo(torch.int64).min, None, generator=source)
    return words.view(torch.int16)[:count].view(shape)


def fixed_uniform(index: Tensor, shape: torch.Size, *stream: object) -> Tensor:
    """Uniform draws in [0, 1) that belong to the images themselves, whatever batch they are in.

    Args:
        index: Positions of the images in their split, shape ``(B,)``.
        shape: Shape of one image.
        stream: What the draws are for.

    Returns:
        Shape ``(B, *shape)``, on the CPU: image i always receives the same numbers.
    """
    key = stream_seed(*stream)
    draws = np.empty((len(index), *shape), dtype=np.float32)
    for row, i in enumerate(index.tolist()):
        # A counter-based generator: neighbouring keys give independent streams.
        np.random.Generator(np.random.Philox(key=[key, i])).random(out=draws[row], dtype=np.float32)
    return torch.from_numpy(draws)
