"""How pixels are treated, held against the data and the likelihood."""

import math

from omegaconf import DictConfig
from torch import Size
from torch.distributions import constraints

from vae_cli.config.construct import construct, naming_keys, option_of
from vae_cli.data.dataset import Dataset
from vae_cli.data.kind import range_of
from vae_cli.data.split import Binarize, Encode, Treatment
from vae_cli.errors import ConfigError
from vae_cli.likelihood.base import Likelihood

GREY_LEVELS = 255  # the scale of floats that look like bytes
SHORT = 1e6  # below which a whole number is written with all its digits
NARROW = 1e-3  # a range of real values below which training is at risk
WIDE = 20.0  # a range of real values beyond which training is at risk


def models_binary_values(cfg: DictConfig, shape: Size) -> bool:
    """Whether the likelihood of examples of a shape is one of binary values."""
    with naming_keys(cfg, "likelihood"):
        likelihood: Likelihood = construct(cfg, "likelihood", partial=True)(shape=shape)
    return likelihood.support is constraints.boolean


def choose_treatment(cfg: DictConfig, dataset: Dataset, is_binary: bool) -> Treatment:
    """How pixels are treated, checked against the data and the likelihood.

    Args:
        cfg: The configuration, as composed.
        dataset: The images.
        is_binary: Whether the likelihood is one of binary values.

    Raises:
        ConfigError: If they do not go together.
    """
    levels, binarize, dequantize = dataset.levels, cfg.data.binarize, cfg.data.dequantize
    kinds = describe_levels(levels)
    if binarize == "auto":
        binarize = ("static" if levels == 2 else "dynamic") if is_binary else "none"
    if is_binary and binarize == "none" and levels != 2:
        rule = f"the likelihood is for binary values, but the images have {kinds}"
        remedy = "Try data.binarize=dynamic or likelihood=gaussian."
        raise ConfigError("data.binarize", cfg.data.binarize, rule, remedy)
    if dequantize and (binarize != "none" or levels is None):
        rule = "needs grey levels that are not binarized"
        without = "likelihood=gaussian data.binarize=none"
        remedy = f"Try {'data.dequantize=false' if levels is None else without}."
        raise ConfigError("data.dequantize", True, rule, remedy)
    if binarize != "none":
        _check_range(cfg, dataset)
    return settled_treatment(cfg, dataset, binarize)


def settled_treatment(
    cfg: DictConfig, dataset: Dataset, binarize: Binarize | None = None
) -> Treatment:
    """How pixels are treated, once all choices are made; ``binarize`` counts before the key."""
    binarize = binarize or cfg.data.binarize
    # Runs of earlier versions say nothing of what the encoder sees.
    encode: Encode = cfg.data.get("encode") or "modelled"
    low, high = range_of(dataset, ("train",))
    is_usual = binarize != "none" or low == high or 0 <= low <= high <= 1
    limits = (0.0, 1.0) if is_usual else (low, high)
    return Treatment(binarize, cfg.data.dequantize, dataset.levels, encode, limits)


def advise_on_range(cfg: DictConfig, dataset: Dataset) -> str:
    """What to do about values so large or small that training may fail; empty of others."""
    low, high = range_of(dataset, ("train",))
    if "scale" not in cfg.data or low == high or NARROW <= high - low <= WIDE:
        return ""
    scale = f"data.scale={suggested_scale(low, high):g}"
    return f"Try {scale} in a new run: values go from {low:g} to {high:g}."


def suggested_scale(low: float, high: float) -> float:
    """What values are divided by to lie between -1 and 1, or 0 and 1: in few digits, rounded up."""
    largest = max(abs(low), abs(high))
    if GREY_LEVELS / 2 < largest <= GREY_LEVELS and low >= 0:
        return GREY_LEVELS
    digit = 10.0 ** (math.floor(math.log10(largest)) - 1)
    is_short = largest.is_integer() and largest < SHORT
    return largest if is_short else math.ceil(largest / digit) * digit


def describe_levels(levels: int | None) -> str:
    """What values are, in words."""
    return "real values" if levels is None else f"{levels} grey levels"


def _check_range(cfg: DictConfig, dataset: Dataset) -> None:
    """Checks that real values can be probabilities."""
    low, high = range_of(dataset)
    if 0 <= low <= high <= 1:
        return
    rule = f"needs values from 0 to 1, and these go from {low:g} to {high:g}"
    can_scale = low >= 0 and "scale" in cfg.data
    scale = f"data.scale={suggested_scale(low, high):g}"
    wide = f" {scale}" if "scale" in cfg.data and high - low > WIDE else ""
    remedy = f"Try {scale}." if can_scale else f"Try likelihood=gaussian{wide}."
    key = "likelihood" if cfg.data.binarize == "auto" else "data.binarize"
    value = option_of(cfg.likelihood) if key == "likelihood" else cfg.data.binarize
    if not can_scale and key == "data.binarize":
        remedy = f"Try likelihood=gaussian data.binarize=none{wide}."
    raise ConfigError(key, value, rule, remedy)
