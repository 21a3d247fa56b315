"""A joint distribution over several layers of latent variables."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints
from torch.types import _size

from vae_cli.distribution.relations import from_noise, sample_with_log_prob

Layers = Mapping[int, Tensor]  # values of layers by their number, each ``(*, D_l)``
Conditional = Callable[[Layers], Distribution]


class LayeredDistribution(Distribution):
    r""":math:`\prod_l q(z_l | z_{\text{drawn before}})`, as one distribution of all layers.

    An event is the layers side by side in the order of their numbers, so that terms, metrics and
    figures see one vector. Layers may be drawn in another order: top-down, say.

    Args:
        sizes: Dimensions of each layer.
        conditionals: The distribution of each layer, by number, in the order in which they are
            drawn: from the layers before it to a distribution of batch shape ``(*sample, *batch)``,
            or ``batch`` for the first.
    """

    arg_constraints = {}  # noqa: RUF012  as torch.distributions has it
    support = constraints.real_vector

    def __init__(self, sizes: Sequence[int], conditionals: Mapping[int, Conditional]) -> None:
        self.sizes, self.conditionals = [*sizes], dict(conditionals)
        self.first = next(iter(self.conditionals.values()))({})
        super().__init__(self.first.batch_shape, torch.Size([sum(sizes)]), validate_args=False)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]  # torch has a class attribute
        """Whether a gradient flows through draws: that the first layer's says so."""
        return bool(self.first.has_rsample)

    def split(self, value: Tensor) -> list[Tensor]:
        """The layers of events ``(*, D)``, each ``(*, D_l)``."""
        return list(value.split(self.sizes, -1))

    def layer_log_probs(self, value: Tensor) -> Tensor:
        """Log-density of each layer given those drawn before it, nats, ``(*, L)``."""
        parts, found = self.split(value), {}
        known: dict[int, Tensor] = {}
        for layer, conditional in self.conditionals.items():
            found[layer] = conditional(known).log_prob(parts[layer])
            known[layer] = parts[layer]
        return torch.stack([found[layer] for layer in range(len(parts))], -1)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-density in nats, ``(*,)``."""
        return self.layer_log_probs(value).sum(-1)

    def sample_with_log_prob(self, sample_shape: _size) -> tuple[Tensor, Tensor]:
        """Draws, ``(*sample_shape, *batch, D)``, and their log-density in nats."""

        def draw(layer: int, q: Distribution) -> tuple[Tensor, Tensor]:
            return sample_with_log_prob(q, sample_shape if q is self.first else ())

        return self._ancestral(draw)

    def from_noise(self, noise: Tensor) -> tuple[Tensor, Tensor]:
        """The draws that standard normal noise, ``(*, *batch, D)``, becomes, and their density."""
        parts = self.split(noise)
        return self._ancestral(lambda layer, q: from_noise(q, parts[layer]))

    def rsample(self, sample_shape: _size = ()) -> Tensor:
        """Draws, with a gradient as far as the layers' have one."""
        return self.sample_with_log_prob(sample_shape)[0]

    def _ancestral(
        self, draw: Callable[[int, Distribution], tuple[Tensor, Tensor]]
    ) -> tuple[Tensor, Tensor]:
        known: dict[int, Tensor] = {}
        total: Tensor | None = None
        for layer, conditional in self.conditionals.items():
            q = self.first if not known else conditional(known)
            known[layer], log_prob = draw(layer, q)
            total = log_prob if total is None else total + log_prob
        assert total is not None
        return torch.cat([known[layer] for layer in range(len(self.sizes))], -1), total


@sample_with_log_prob.register
def _(q: LayeredDistribution, sample_shape: _size = ()) -> tuple[Tensor, Tensor]:
    return q.sample_with_log_prob(sample_shape)


from_noise.register(LayeredDistribution, LayeredDistribution.from_noise)


def kl_per_layer(q: LayeredDistribution, p: LayeredDistribution) -> Tensor:
    """What each layer adds to KL(q‖p), at one draw of q, nats, ``(*batch, L)``.

    Their sum has the mean KL(q‖p). A single layer's share may be negative where q and p draw the
    layers in different orders.
    """
    z, _ = sample_with_log_prob(q)
    return q.layer_log_probs(z) - p.layer_log_probs(z)
