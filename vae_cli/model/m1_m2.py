"""M2 on the features of M1: a hierarchy of which the first layer has been trained before."""

from collections.abc import Callable, Sequence

import torch
from torch import Size, Tensor
from torch.distributions import Distribution
from torch.nn import Module
from torch.nn.functional import pad

from vae_cli.data.batch import Batch
from vae_cli.distribution.labelled import LabelledDistribution
from vae_cli.distribution.latent import Latent
from vae_cli.distribution.relations import mean, sample_with_log_prob
from vae_cli.errors import InvalidOption
from vae_cli.likelihood.base import Likelihood
from vae_cli.model.base import ElboTerms, LatentVariableModel
from vae_cli.model.labelled import ClassTerms, SemiSupervisedModel
from vae_cli.model.m2 import M2
from vae_cli.options import PositiveInt, checked
from vae_cli.posterior.base import Posterior
from vae_cli.prior.base import Prior
from vae_cli.prior.standard import StandardPrior


class M1M2(SemiSupervisedModel):
    r"""p(y) p(z) p(v|y,z) p(x|v) with q(v|x) from a trained VAE and q(y|v) q(z|v,y) from M2.

    (Kingma et al. 2014, arXiv:1406.5298, section 2.3.) M2 models the VAE's features v in place of
    images, drawn anew from q(v|x) at each step; the VAE itself no longer changes. The bound is one
    on log p(x) all the same:

    .. math:: E_{q(v|x)}[\log p(x|v) - \log q(v|x) + U(v) + \log p(r)]

    with M2's bound U(v) on log p of the features that it models, and p(r) of the rest. What stands
    for log p(x|y,z) among the terms is log p(x|v) + log p(v|y,z) + log p(r) - log q(v|x), in the
    mean a bound on it. Where a picture or a classifier asks for z or y of an image, v is the mean
    of q(v|x), and where x of z and y, it is the mean of p(v|y,z).

    Features that the VAE does not use, the rest, are nothing but noise, of which a classifier would
    have to learn that it says nothing. M2 models the others alone, and the rest is N(0, I).

    Args:
        features: The trained model: a VAE, or M1.
        latent_dim: Number of dimensions of z.
        classes: K.
        encoder, decoder, posterior, prior: As for ``M2``, on vectors of features.
        likelihood: Builds p(v|y,z), one of real numbers.
        units: Which of the features M2 models, one at least; None for all.
        m1, first: Where ``features`` come from, for the record: a run, or overrides for one.
    """

    units: Tensor
    rest: Tensor
    places: Tensor

    @checked
    def __init__(
        self,
        features: LatentVariableModel,
        latent_dim: PositiveInt,
        classes: PositiveInt,
        encoder: Callable[..., Module],
        decoder: Callable[..., Module],
        posterior: Callable[..., Posterior],
        prior: Callable[..., Prior],
        likelihood: Callable[..., Likelihood],
        units: Sequence[int] | None = None,
        m1: str | None = None,
        first: Sequence[str] = (),
    ) -> None:
        super().__init__()
        if isinstance(features, SemiSupervisedModel) or not isinstance(
            features, LatentVariableModel
        ):
            rule = "its features must come from a model with a prior and without labels"
            raise InvalidOption("features", type(features).__name__, rule, "Use those of M1.")
        self.features = features.requires_grad_(False)
        self.latent_dim, self.classes = latent_dim, classes
        all_units = range(features.latent_dim)
        modelled = [*(all_units if units is None else units)]
        if not modelled or sorted({*modelled} & {*all_units}) != sorted(modelled):
            rule = f"needs one or more different numbers from 0 to {features.latent_dim - 1}"
            raise InvalidOption("units", modelled, rule)
        rest = [unit for unit in all_units if unit not in modelled]
        places = [modelled.index(unit) if unit in modelled else len(modelled) for unit in all_units]
        for name, index in (("units", modelled), ("rest", rest), ("places", places)):
            self.register_buffer(name, torch.tensor(index, dtype=torch.long), persistent=False)
        self.prior_of_rest = StandardPrior(len(rest))
        shape = Size([len(modelled)])
        self.m2 = M2(shape, latent_dim, classes, encoder, decoder, posterior, prior, likelihood)

    def prior(self) -> LabelledDistribution:
        """See the base class."""
        return self.m2.prior()

    def classify(self, batch: Batch) -> Tensor:
        """See the base class."""
        return self.m2.classify(self._described(batch))

    def encode(self, batch: Batch) -> LabelledDistribution:
        """See the base class."""
        return self.m2.encode(self._described(batch))

    def _described(self, batch: Batch) -> Batch:
        """The batch with the means of its features in place of images."""
        return self._of_features(batch, mean(self.features.encode(batch)))

    def decode(self, z: Tensor, y: Tensor | None = None) -> Distribution:
        """See the base class."""
        code = z if y is None else Latent.with_label(z, y, self.classes).event
        v = pad(self.m2.decode(code).mean, (0, 1))  # a 0, the mean of the rest, behind
        return self.features.decode(v.index_select(-1, self.places))

    def terms(
        self, batch: Batch, samples: int, closed_form_kl: bool, q: Distribution | None = None
    ) -> ElboTerms:
        """See the base class. Each z has its own v: what ``encode`` gives is not used."""
        v, above = self._draw_features(batch, samples)
        terms = self.m2.terms(v, 1, closed_form_kl)
        each = ElboTerms(*(term.view(samples, -1) for term in terms))
        return each._replace(log_likelihood=each.log_likelihood + above)

    def class_terms(self, batch: Batch, samples: int, closed_form_kl: bool) -> ClassTerms:
        """See the base class."""
        v, above = self._draw_features(batch, samples)
        terms = self.m2.class_terms(v, 1, closed_form_kl)
        shape = (samples, -1, self.classes)
        return ClassTerms(
            terms.log_likelihood.view(shape) + above.unsqueeze(-1),
            terms.kl.view(shape),
            terms.log_label.view(shape),
            terms.log_label_prior,
            terms.drawn_kl.view(shape),
        )

    def terms_of_labels(self, batch: Batch, y: Tensor) -> ElboTerms:
        """See the base class. Each z has its own draw of v."""
        v, above = self._draw_features(batch, len(y))
        terms = self.m2.terms_of_labels(v, y.flatten().unsqueeze(0))
        each = ElboTerms(*(term.view_as(y) for term in terms))
        return each._replace(log_likelihood=each.log_likelihood + above)

    @torch.no_grad()
    def _draw_features(self, batch: Batch, samples: int) -> tuple[Batch, Tensor]:
        """S B features as a batch, and what the bound has of each besides M2's, ``(S, B)``.

        That is log p(x|v) - log q(v|x), and log p of those features that M2 does not model; nats.
        """
        v, log_q = sample_with_log_prob(self.features.encode(batch), (samples,))
        above = self.features.decode(v).log_prob(batch.x) - log_q
        above = above + self.prior_of_rest().log_prob(v.index_select(-1, self.rest))
        return self._of_features(batch, v.flatten(0, 1)), above

    def _of_features(self, batch: Batch, v: Tensor) -> Batch:
        """A batch for M2 of features ``(N, D)``, where N is a multiple of the batch's size."""
        units = v.index_select(-1, self.units)
        repeats = v.shape[0] // batch.y.shape[0]  # len() would tie an exported graph to its example
        return Batch(units, units, batch.y.repeat(repeats), batch.index.repeat(repeats))
