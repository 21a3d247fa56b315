"""Random numbers as a function of what they are for, so that no state has to be saved.

Everything random names its stream, ``("train", seed, step, rank)`` say, and the stream's name is
its seed. Runs then resume, evaluations repeat, and the number of processes does not matter.
"""

import hashlib

import numpy as np
import torch
from torch import Tensor


def stream_seed(*stream: object) -> int:
    """A 63-bit seed for a stream of noise; different names give unrelated seeds."""
    digest = hashlib.blake2b(repr(stream).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(device: torch.device | str, *stream: object) -> torch.Generator:
    """A generator of its own for the stream."""
    return torch.Generator(device).manual_seed(stream_seed(*stream))


def seed_draws(device: torch.device, *stream: object) -> None:
    """Points the device's default generator, which torch.distributions draws from, at a stream.

    Much cheaper than ``torch.manual_seed``, which visits every device: it is called each step.
    """
    seed = stream_seed(*stream)
    if device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(seed)
    elif device.type == "cpu":
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)


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
