"""log p(x) where the model has a formula for it."""

from collections.abc import Mapping

from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.metric.base import Metric, Moments, Value, means_and_errors
from vae_cli.model.base import Model
from vae_cli.model.evidence import exact_log_likelihood
from vae_cli.number import known


class ExactLogLikelihood(Metric[Model]):
    """log p(x), nats an image, in closed form; left out for models without one."""

    is_costly = False
    declares = known("exact_log_likelihood")

    def values(self, model: Model, batch: Batch, q: Distribution) -> dict[str, Tensor]:
        """See the base class."""
        exact = exact_log_likelihood(model, batch)
        return {} if exact is None else {"exact_log_likelihood": exact}

    def result(self, moments: Mapping[str, Moments]) -> dict[str, Value]:
        """See the base class."""
        return means_and_errors(moments)
