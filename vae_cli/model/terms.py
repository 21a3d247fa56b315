"""The terms of a model with one layer of latent variables."""

from collections.abc import Callable

from torch import Tensor
from torch.distributions import Distribution

from vae_cli.distribution.relations import sample_with_kl, sample_with_log_prob
from vae_cli.model.base import ElboTerms


def one_layer_terms(
    q: Distribution,
    p: Distribution,
    decode: Callable[[Tensor], Distribution],
    x: Tensor,
    samples: int,
    closed_form_kl: bool,
) -> ElboTerms:
    """The terms of the bound for so many draws of z from q.

    Args:
        q: q(z|x), batch shape ``(B,)``.
        p: p(z), batch shape ``()``.
        decode: p(x|z) as a function of z.
        x: Shape ``(B, *shape)``.
        samples: S.
        closed_form_kl: Take KL(q‖p) from its formula, as far as there is one.
    """
    if closed_form_kl:
        z, log_posterior, kl = sample_with_kl(q, p, (samples,))
        log_prior = p.log_prob(z)
    else:
        z, log_posterior = sample_with_log_prob(q, (samples,))
        log_prior = p.log_prob(z)
        kl = log_posterior - log_prior
    return ElboTerms(decode(z).log_prob(x), log_prior, log_posterior, kl)
