"""What a loader yields."""

from typing import NamedTuple

import torch
from torch import Tensor


class Batch(NamedTuple):
    """Some images, treated as the likelihood wants them."""

    x: Tensor  # (B, C, H, W), float32: what is modelled
    input: Tensor  # (B, C, H, W): what the encoder sees; x, or the image before its treatment
    y: Tensor  # (B,), int64: label, -1 where unknown
    index: Tensor  # type: ignore[assignment]  # (B,), int64: position in the split

    def to(self, device: torch.device) -> "Batch":
        """The batch on a device; itself if it is there."""
        if self.x.device == device:
            return self
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in self))
