"""The table of transforms: a new one adds a row, and every property is checked on it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Size, Tensor

from vae_cli.distribution.flow import FlowTransform
from vae_cli.distribution.planar import PlanarFlow
from vae_cli.distribution.radial import RadialTransform


@dataclass(frozen=True)
class Case:
    """One kind of transform.

    Attributes:
        shapes: Shapes of its parameters, of one image, in D dimensions.
        build: The transform from numbers without constraints.
        identity: From the same numbers, parameters that give the identity.
    """

    name: str
    shapes: Callable[[int], list[tuple[int, ...]]]
    build: Callable[..., FlowTransform]
    identity: Callable[..., FlowTransform]

    def parameters(self, dim: int, seed: int, batch: tuple[int, ...] = ()) -> list[Tensor]:
        """Random numbers in float64, their scale ``seed`` dependent: from mild to strong maps."""
        generator = torch.Generator().manual_seed(seed)
        spread = 0.5 * (1 + seed % 4)
        return [
            spread * torch.randn(Size(batch + shape), generator=generator, dtype=torch.float64)
            for shape in self.shapes(dim)
        ]


TRANSFORMS = [
    *(
        Case(
            f"planar {length}",
            shapes=lambda d, length=length: [(length, d), (length, d), (length,)],
            build=PlanarFlow,
            identity=lambda w, u, b: PlanarFlow(w, 0 * u, b),
        )
        for length in (1, 3)
    ),
    Case(
        "radial",
        shapes=lambda d: [(d,), (), ()],
        build=lambda center, alpha, s: RadialTransform(center, alpha.exp(), s.exp()),
        identity=lambda center, alpha, s: RadialTransform(center, alpha.exp(), alpha.exp()),
    ),
]


def points(dim: int, seed: int, batch: tuple[int, ...] = ()) -> Tensor:
    """Random points in float64."""
    generator = torch.Generator().manual_seed(1000 + seed)
    return 2 * torch.randn(*batch, dim, generator=generator, dtype=torch.float64)
