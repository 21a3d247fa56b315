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
    ``(D,)`` for a vector, and its own options. An encoder of images may also be built with a
    ``condition_dim``: then something beside the image has a say, a vector of so many numbers. It
    joins where the image has become a vector, so that whatever lies before is the same for all
    conditions.

    Any other module with this constructor may know one batch dimension only:
    ``vae_cli.network.build`` makes it one of these.
    """

    @abstractmethod
    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Maps ``(*batch, *in_shape)`` to ``(*batch, *out_shape)``.

        Args:
            x: What is mapped.
            condition: Shape ``(*batch, condition_dim)``; the two batch shapes are broadcast.
        """


def joining(condition_dim: int, width: int) -> nn.Linear | None:
    """What is added to a layer of some width for a condition; None where there is none.

    The layer and it are one linear map of x and the condition together.
    """
    return nn.Linear(condition_dim, width, bias=False) if condition_dim else None
