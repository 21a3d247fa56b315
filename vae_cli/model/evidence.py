"""The evidence, where a model has a formula for it."""

from functools import singledispatch

from torch import Tensor

from vae_cli.data.batch import Batch
from vae_cli.model.base import Model


@singledispatch
def exact_log_likelihood(model: Model, batch: Batch) -> Tensor | None:
    """log p(x), nats, ``(B,)``, or None where the model has no formula for it.

    A model that has one registers it beside its class.
    """
    return None
