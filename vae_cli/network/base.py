"""What all networks share."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": partial(nn.ReLU, inplace=True),  # of a layer's output, which nothing else needs
    "tanh": nn.Tanh,
    "softplus": nn.Softplus,
    "elu": nn.ELU,
    "identity": nn.Identity,
}


class Network(nn.Module, ABC):
    """A map from one shape to another: an encoder or a decoder, as the shapes have it.

    A network is built from ``in_shape`` and ``out_shape``, each ``(C, H, W)`` for an image or
    ``(D,)`` for a vector, and its own options.
    """

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Maps ``(..., *in_shape)`` to ``(..., *out_shape)``."""
