"""What a loader yields."""

from typing import NamedTuple

import torch
from torch import Tensor


class Batch(NamedTuple):
    """Some examples, treated as the likelihood wants them."""

    x: Tensor  # (B, *shape), float32: what is modelled
    input: Tensor  # (B, *shape): what the encoder sees; x, or the values before their treatment
    y: Tensor  # (B,), int64: label, -1 where unknown
    index: Tensor  # type: ignore[assignment]  # (B,), int64: position in the split

    def to(self, device: torch.device) -> "Batch":
        """The batch on a device; itself if it is there."""
        if self.x.device == device:
            return self
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in self))


def unlabelled(x: Tensor) -> Batch:
    """Examples ``(B, *shape)`` without labels or positions."""
    return Batch(x, x, *(torch.full(x.shape[:1], -1, device=x.device) for _ in range(2)))
