"""log p(x) in bits per dimension, where that is defined."""

from omegaconf import DictConfig
from torch import Size

from vae_cli.config.treatment import models_binary_values
from vae_cli.metric.log_likelihood import bits_per_dimension


def bits_per_dim(config: DictConfig, log_likelihood: float | None) -> float | None:
    """Bits per dimension where log p(x) is that of discrete values, else None.

    Args:
        config: Of the run, every value concrete.
        log_likelihood: log p(x), nats an image, where it was measured.
    """
    if log_likelihood is None:
        return None
    shape = Size(config.derived.shape)
    if models_binary_values(config, shape):
        return bits_per_dimension(log_likelihood, shape.numel(), 1)
    if config.data.dequantize:
        return bits_per_dimension(log_likelihood, shape.numel(), config.derived.levels)
    return None
