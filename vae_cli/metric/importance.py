"""log p(x) and the bound, with how far to trust them."""

from collections.abc import Mapping

from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.metric.base import Metric, Moments, Value, mean_and_error
from vae_cli.metric.evidence import DECLARED, evidence_numbers, evidence_values
from vae_cli.model.base import LatentVariableModel
from vae_cli.model.importance import bound_estimate, evidence_estimate
from vae_cli.number import known
from vae_cli.options import Draws, checked

BOUND_SHARE, BOUND_FEWEST = 0.1, 100  # draws for the bound: of S, and at least, if S is as large


class ImportanceSampling(Metric[LatentVariableModel]):
    r"""log p(x) from S draws of z, how far to trust it, and the bound.

    The estimate's expectation lies below log p(x) (Burda et al. 2016, arXiv:1509.00519); how far
    is extrapolated from what halving the draws costs.

    The bound comes from a tenth of S more draws of q(z|x), 100 at least.

    Args:
        samples: S.
        adapts: Draw around the posterior's mode as well as from q(z|x).
    """

    is_costly = True
    declares = (*known("elbo", "reconstruction", "kl"), *DECLARED)
    rivals = ("log_likelihood",)

    @checked
    def __init__(self, samples: Draws = 5000, adapts: bool = True) -> None:
        self.samples, self.adapts = samples, adapts
        self.bound_samples = max(min(samples, BOUND_FEWEST), int(BOUND_SHARE * samples))

    def values(
        self, model: LatentVariableModel, batch: Batch, q: Distribution
    ) -> dict[str, Tensor]:
        """See the base class."""
        bound = bound_estimate(model, batch, q, self.bound_samples)
        evidence = evidence_estimate(model, batch, q, self.samples, self.adapts)
        return {**bound._asdict(), **evidence_values(evidence)}

    def result(self, moments: Mapping[str, Moments]) -> dict[str, Value]:
        """See the base class."""
        numbers: dict[str, Value] = {"elbo_samples": self.bound_samples}
        for name in ("elbo", "reconstruction", "kl"):
            numbers |= mean_and_error(name, moments[name])
        return numbers | evidence_numbers(moments, self.samples)
