"""The training images of an epoch and their batches, as functions of the seed."""

from typing import Protocol

import torch
from torch import Tensor


class Shuffle(Protocol):
    """Fills the batches of an epoch; its length is their number."""

    def __len__(self) -> int: ...

    def __call__(self, stream: torch.Generator) -> Tensor:
        """Positions of images, shape ``(batches, world_size, share)``.

        Args:
            stream: Source of the order, on the CPU.
        """


class AsTheyCome:
    """Each image once at most.

    What is left over when the images do not fill a whole number of batches is dropped, other
    images in each epoch, so that all steps weigh alike.

    Args:
        count: Number of images.
        batch_size: Images a step over all processes.
        world_size: Number of processes.
    """

    def __init__(self, count: int, batch_size: int, world_size: int) -> None:
        self.count, self.batch_size, self.world_size = count, batch_size, world_size

    def __len__(self) -> int:
        return self.count // self.batch_size

    def __call__(self, stream: torch.Generator) -> Tensor:
        """See the base class."""
        order = torch.randperm(self.count, generator=stream)
        return order[: len(self) * self.batch_size].view(len(self), self.world_size, -1)


class LabelledAlone:
    """Images with a label, each once at most; the others are left out.

    What is left over is dropped as in ``AsTheyCome``.

    Args:
        labels: Shape ``(N,)``, -1 where unknown.
        batch_size: Images a step over all processes; all of them if there are fewer.
        world_size: Number of processes.
    """

    def __init__(self, labels: Tensor, batch_size: int, world_size: int) -> None:
        self.images = (labels >= 0).nonzero().flatten().cpu()
        self.order = AsTheyCome(len(self.images), min(batch_size, len(self.images)), world_size)

    def __len__(self) -> int:
        return len(self.order)

    def __call__(self, stream: torch.Generator) -> Tensor:
        """See the base class."""
        return self.images[self.order(stream)]


class LabelledFirst:
    """In each process's share of a batch as many images with a label as in any other, first.

    Images with a label are gone through in one random order after another, so that all are seen
    equally often, and so are those without, of which most epochs leave some over. An image is
    twice in a batch only where an order ends and the next begins within it.

    Args:
        labels: Shape ``(N,)``, -1 where unknown; at least one is not.
        fraction: Share of the labelled ones in each process's images, to be rounded. There is at
            least one of either kind; where all images have a label, there is one kind.
        batch_size: Images a step over all processes.
        world_size: Number of processes.
    """

    def __init__(self, labels: Tensor, fraction: float, batch_size: int, world_size: int) -> None:
        self.batches, self.world_size = len(labels) // batch_size, world_size
        self.labelled = (labels >= 0).nonzero().flatten().cpu()
        self.unlabelled = (labels < 0).nonzero().flatten().cpu()
        share = batch_size // world_size
        rounded = min(max(round(fraction * share), 1), share - 1)
        first = rounded if len(self.unlabelled) else share
        self.sizes = (first, share - first)

    def __len__(self) -> int:
        return self.batches

    def __call__(self, stream: torch.Generator) -> Tensor:
        """See the base class."""
        kinds = zip((self.labelled, self.unlabelled), self.sizes, strict=True)
        return torch.cat([self._rows(images, size, stream) for images, size in kinds], dim=-1)

    def _rows(self, images: Tensor, size: int, stream: torch.Generator) -> Tensor:
        count = self.batches * self.world_size * size
        orders = -(-count // max(len(images), 1))  # without an image, none are wanted
        # Each row of noise, sorted, is an order; in float32, some of it would be equal.
        noise = torch.rand(orders, len(images), generator=stream, dtype=torch.float64)
        taken = images[noise.argsort(1).flatten()[:count]]
        return taken.view(self.batches, self.world_size, size)


def make_shuffle(
    labels: Tensor, labelled_fraction: float | None, batch_size: int, world_size: int
) -> Shuffle:
    """The shuffle for an objective's ``labelled_fraction``.

    Args:
        labels: Of the training images, shape ``(N,)``.
        labelled_fraction: See ``Objective``.
        batch_size: Images a step over all processes.
        world_size: Number of processes.
    """
    if labelled_fraction is None:
        return AsTheyCome(len(labels), batch_size, world_size)
    return LabelledFirst(labels, labelled_fraction, batch_size, world_size)
