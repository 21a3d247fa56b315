"""Probabilistic PCA and factor analysis."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Size, Tensor, nn
from torch.distributions import Distribution, MultivariateNormal
from torch.nn import Module

from vae_cli.data.batch import Batch
from vae_cli.errors import InvalidOption, build_part
from vae_cli.likelihood.base import Likelihood
from vae_cli.likelihood.gaussian import GaussianLikelihood
from vae_cli.model.base import ElboTerms, LatentVariableModel
from vae_cli.model.evidence import exact_log_likelihood
from vae_cli.model.terms import one_layer_terms
from vae_cli.model.vae import full_precision
from vae_cli.network.build import build_encoder
from vae_cli.options import PositiveInt, checked
from vae_cli.posterior.base import Posterior
from vae_cli.posterior.exact import ExactPosterior
from vae_cli.prior.base import Prior
from vae_cli.prior.standard import StandardPrior


class LinearGaussian(LatentVariableModel):
    r""":math:`z \sim N(0, I)`, :math:`x = W z + \mu + \epsilon`, :math:`\epsilon \sim N(0, \Psi)`.

    Probabilistic PCA where :math:`\Psi = \sigma^2 I` (Tipping & Bishop 1999, Journal of the Royal
    Statistical Society B 61), factor analysis where it is any diagonal. The posterior is Gaussian
    and has a formula, so that each draw from it weighs exactly p(x): the bound is log p(x) without
    noise, and its gradient that of log p(x).

    Args:
        shape: Shape of one example.
        latent_dim: Number of dimensions of z.
        noise: Whether all values share one scale or each has its own, where the likelihood learns
            it; how it is bounded, or which number it is, the likelihood says.
        likelihood: Builds the likelihood, a Gaussian one.
        prior: Builds the prior from ``latent_dim``, the standard one.
        posterior: The exact one; or builds an approximate one from ``latent_dim``.
        encoder: Builds the network of an approximate posterior from ``in_shape`` and ``out_shape``.
    """

    @checked
    def __init__(
        self,
        shape: Size,
        latent_dim: PositiveInt,
        noise: Literal["shared", "per_pixel"],
        likelihood: Callable[..., Likelihood],
        prior: Callable[..., Prior],
        posterior: ExactPosterior | Callable[..., Posterior],
        encoder: Callable[..., Module],
    ) -> None:
        super().__init__()
        self.shape, self.latent_dim = Size(shape), latent_dim
        self.latent_prior = build_part("prior", prior, latent_dim=latent_dim)
        self.likelihood = build_part("likelihood", likelihood, shape=self.shape)
        _check_kind("prior", self.latent_prior, StandardPrior, "Try {prior}=standard.")
        _check_kind("likelihood", self.likelihood, GaussianLikelihood, "Try {likelihood}=gaussian.")
        self.decoder = nn.Linear(latent_dim, self.shape.numel())  # W and mu
        self.log_scale: nn.Parameter | None = None
        if self.likelihood.parameters_per_value == 2:
            # With three axes, as in the checkpoints of earlier versions.
            each = (1, 1, *self.shape)[-3:] if noise == "per_pixel" else ()
            self.log_scale = nn.Parameter(torch.zeros(each))  # free: the likelihood bounds it
        elif noise == "per_pixel":
            rule = "the model learns a scale for each value"
            remedy = "Try {likelihood.scale}=learned, or {}=ppca."
            raise InvalidOption("likelihood.scale", self.likelihood.scale, rule, remedy)
        self.posterior: Posterior | None = None
        if not isinstance(posterior, ExactPosterior):
            self.posterior = build_part("posterior", posterior, latent_dim=latent_dim)
            self.encoder = build_encoder(encoder, self.shape, self.posterior.parameter_count)

    def prior(self) -> Distribution:
        """See the base class."""
        return self.latent_prior()

    def encode(self, batch: Batch) -> Distribution:
        """See the base class."""
        if self.posterior is None:
            return self.exact_posterior(batch.x)
        return self.posterior(full_precision(self.encoder(batch.input)))

    def exact_posterior(self, x: Tensor) -> MultivariateNormal:
        r"""p(z|x), a Gaussian of the same covariance for each image.

        .. math:: p(z|x) = N(G W^\top \Psi^{-1} (x - \mu), G), \quad
                  G = (I + W^\top \Psi^{-1} W)^{-1}

        (Bishop 2006, Pattern Recognition and Machine Learning, equations 12.66 to 12.68.)

        Args:
            x: Shape ``(B, *shape)``.
        """
        weight = self.decoder.weight
        noise = self.decode(weight.new_zeros(1, self.latent_dim))  # N(mu, Psi), batch shape (1,)
        with torch.autocast(x.device.type, enabled=False):
            scaled = weight / noise.variance.flatten(1).mT  # Psi^-1 W, (values, latent_dim)
            identity = torch.eye(self.latent_dim, dtype=weight.dtype, device=weight.device)
            precision = identity + weight.mT @ scaled
            # The triangular root of G = precision^-1. cholesky_ex does not raise: numbers that are
            # none reach the loss, where training tells of them.
            reverse = torch.linalg.cholesky_ex(precision.flip(0, 1)).L.flip(0, 1)
            root = torch.linalg.solve_triangular(reverse.mT, identity, upper=False)
            mean = (x - noise.mean).flatten(1) @ scaled @ root @ root.mT
            return MultivariateNormal(mean, scale_tril=root, validate_args=False)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Distribution:
        """See the base class."""
        # The mean is part of a formula that holds to rounding only where all of it is as precise.
        with torch.autocast(z.device.type, enabled=False):
            loc = self.decoder(z).unflatten(-1, self.shape)
        if self.log_scale is None:
            return self.likelihood(loc.unsqueeze(-1 - len(self.shape)))
        log_scale = self.log_scale.view(self.log_scale.shape[-len(self.shape) :]).expand_as(loc)
        return self.likelihood(torch.stack([loc, log_scale], -1 - len(self.shape)))

    def terms(
        self, batch: Batch, samples: int, closed_form_kl: bool, q: Distribution | None = None
    ) -> ElboTerms:
        """See the base class."""
        q = self.encode(batch) if q is None else q
        return one_layer_terms(q, self.prior(), self.decode, batch.x, samples, closed_form_kl)


@exact_log_likelihood.register
def _(model: LinearGaussian, batch: Batch) -> Tensor:
    r"""The log-density of :math:`N(\mu, W W^\top + \Psi)`, whose inverse is never formed.

    .. math:: \log p(x) = \log p(x|m) + \log p(m) - \log p(m|x)

    holds for every m, by Bayes' rule. At the posterior's mean it is what Woodbury's identity and
    the matrix determinant lemma give, in sums of squares, of which nothing cancels:
    :math:`(x-\mu)^\top (W W^\top + \Psi)^{-1} (x-\mu)
    = \|\Psi^{-1/2} (x - \mu - W m)\|^2 + \|m\|^2`.
    """
    q = model.exact_posterior(batch.x)
    m = q.mean
    return model.decode(m).log_prob(batch.x) + model.prior().log_prob(m) - q.log_prob(m)


def _check_kind(option: str, part: nn.Module, kind: type[nn.Module], remedy: str) -> None:
    if not isinstance(part, kind):
        raise InvalidOption(
            option, type(part).__name__, f"the model needs a {kind.__name__}", remedy
        )
