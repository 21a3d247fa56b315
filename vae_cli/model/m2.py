"""The semi-supervised VAE: the label is a latent variable where it is unknown."""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Size, Tensor
from torch.distributions import Distribution
from torch.nn import Module
from torch.utils.checkpoint import checkpoint

from vae_cli.data.batch import Batch
from vae_cli.distribution.labelled import LabelledDistribution
from vae_cli.distribution.latent import Latent
from vae_cli.distribution.relations import sample_with_log_prob
from vae_cli.errors import build_part
from vae_cli.likelihood.base import Likelihood
from vae_cli.model.base import ElboTerms
from vae_cli.model.labelled import ClassTerms, SemiSupervisedModel
from vae_cli.model.terms import one_layer_terms
from vae_cli.model.vae import apply_likelihood, full_precision
from vae_cli.network.build import build_decoder, build_encoder
from vae_cli.options import PositiveInt, checked
from vae_cli.posterior.base import Posterior
from vae_cli.prior.base import Prior

# Decoded at once, over draws, images and classes. What more there is comes piece by piece, each
# computed anew for its gradient, so that memory does not grow with the number of classes.
ROWS = 10_000


class M2(SemiSupervisedModel):
    """p(y) p(z) p(x|y,z) with q(y|x) q(z|x,y), and p(y) uniform.

    (Kingma, Rezende, Mohamed & Welling 2014, arXiv:1406.5298, section 2.2.)

    Args:
        shape: Shape of one example.
        latent_dim: Number of dimensions of z.
        classes: K.
        encoder: Builds the networks of q(y|x) and q(z|x,y) from ``in_shape``, ``out_shape`` and,
            for the second, ``condition_dim``.
        decoder: Builds the network of p(x|y,z) from ``in_shape`` and ``out_shape``.
        posterior: Builds the posterior of z from ``latent_dim``.
        prior: Builds the prior of z from ``latent_dim``.
        likelihood: Builds the likelihood.
    """

    @checked
    def __init__(
        self,
        shape: Size,
        latent_dim: PositiveInt,
        classes: PositiveInt,
        encoder: Callable[..., Module],
        decoder: Callable[..., Module],
        posterior: Callable[..., Posterior],
        prior: Callable[..., Prior],
        likelihood: Callable[..., Likelihood],
    ) -> None:
        super().__init__()
        self.latent_dim, self.classes = latent_dim, classes
        self.posterior = build_part("posterior", posterior, latent_dim=latent_dim)
        self.latent_prior = build_part("prior", prior, latent_dim=latent_dim)
        self.likelihood = build_part("likelihood", likelihood, shape=shape)
        self.classifier = build_encoder(encoder, shape, classes)
        count = self.posterior.parameter_count
        self.encoder = build_encoder(encoder, shape, count, condition_dim=classes)
        parameters = self.likelihood.parameters_per_value
        self.decoder = build_decoder(decoder, latent_dim + classes, shape, parameters)

    def classify(self, batch: Batch) -> Tensor:
        """See the base class."""
        return full_precision(self.classifier(batch.input)).log_softmax(-1)

    def prior(self) -> LabelledDistribution:
        """See the base class."""
        p = self.latent_prior()
        log_label = torch.full((self.classes,), -math.log(self.classes), device=self.device)
        return LabelledDistribution(log_label, lambda y: p, self.latent_dim)

    def encode(self, batch: Batch) -> LabelledDistribution:
        """See the base class."""
        given = partial(self._posterior_given, batch.input)
        return LabelledDistribution(self.classify(batch), given, self.latent_dim)

    def _posterior_given(self, x: Tensor, y: Tensor) -> Distribution:
        """q(z|x,y) for one-hot labels ``(*, K)``, broadcast with the batch shape of x."""
        return self.posterior(full_precision(self.encoder(x, y)))

    def decode(self, z: Tensor, y: Tensor | None = None) -> Distribution:
        """See the base class."""
        code = z if y is None else Latent.with_label(z, y, self.classes).event
        return apply_likelihood(self.likelihood, self.decoder(code))

    def terms(
        self, batch: Batch, samples: int, closed_form_kl: bool, q: Distribution | None = None
    ) -> ElboTerms:
        """See the base class."""
        q = self.encode(batch) if q is None else q
        return one_layer_terms(q, self.prior(), self.decode, batch.x, samples, closed_form_kl)

    def class_terms(self, batch: Batch, samples: int, closed_form_kl: bool) -> ClassTerms:
        """See the base class."""
        log_label = self.classify(batch)
        labels = torch.arange(self.classes, device=log_label.device)
        parts = labels.split(max(1, ROWS // max(samples * len(batch.x), 1)))
        compute = partial(self._terms_given, batch, samples, closed_form_kl)
        if len(parts) > 1 and torch.is_grad_enabled():
            compute = partial(checkpoint, compute, use_reentrant=False)
        log_likelihood, kl, drawn_kl = (
            torch.cat(each, -1) for each in zip(*(compute(part) for part in parts), strict=True)
        )
        log_label_prior = torch.full_like(log_label[0], -math.log(self.classes))
        log_label = log_label.expand(samples, -1, -1)
        return ClassTerms(log_likelihood, kl, log_label, log_label_prior, drawn_kl)

    def terms_of_labels(self, batch: Batch, y: Tensor) -> ElboTerms:
        """See the base class."""
        one_hot = torch.nn.functional.one_hot(y, self.classes).to(batch.input)
        z, log_q = sample_with_log_prob(self._posterior_given(batch.input, one_hot))
        log_p = self.latent_prior().log_prob(z)
        log_likelihood = self.decode(z, y).log_prob(batch.x)
        return ElboTerms(log_likelihood, log_p, log_q, log_q - log_p)

    def _terms_given(
        self, batch: Batch, samples: int, closed_form_kl: bool, labels: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """log p(x|y,z) and the KL of z, twice, ``(S, B, k)``, for some labels ``(k,)``."""
        y = torch.nn.functional.one_hot(labels, self.classes).to(batch.input)
        q = self._posterior_given(batch.input.unsqueeze(1), y)  # batch shape (B, k)
        terms = one_layer_terms(
            q, self.latent_prior(), partial(self.decode, y=labels), batch.x.unsqueeze(1), samples,
            closed_form_kl,
        )  # fmt: skip
        return terms.log_likelihood, terms.kl, terms.drawn_kl
