"""Choices that are possible and hardly meant: each check of a table warns of one."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from omegaconf import DictConfig

from vae_cli.config.construct import option_of
from vae_cli.config.suited import suited_epochs, suited_steps
from vae_cli.data.kind import Kind
from vae_cli.errors import ConfigError

FEW_STEPS = 500
AUTO = "Try likelihood=auto"  # what suits the images


class Facts(NamedTuple):
    """What the checks look at.

    Attributes:
        cfg: The configuration, every value concrete.
        kind: Of the images.
    """

    cfg: DictConfig
    kind: Kind


Check = Callable[[Facts], ConfigError | None]


def doubts_about(facts: Facts) -> list[str]:
    """A line for each choice that is hardly meant, with the remedy."""
    found = [check(facts) for check in CHECKS]
    return [str(doubt) for doubt in found if doubt is not None]


def _binarized_shades(facts: Facts) -> ConfigError | None:
    cfg, kind = facts
    if cfg.data.binarize == "none" or kind.word not in ("colour", "shaded"):
        return None
    what = "colours" if kind.word == "colour" else "shades of grey"
    rule = f"the images have {what}, which binarization turns into noise"
    return ConfigError("data.binarize", cfg.data.binarize, rule, f"{AUTO} data.binarize=auto.")


def _density_of_bits(facts: Facts) -> ConfigError | None:
    cfg, kind = facts
    if kind.word != "binary" or option_of(cfg.likelihood) != "gaussian" or cfg.data.dequantize:
        return None
    rule = "the images have only the values 0 and 1, which no density suits"
    return ConfigError("likelihood", "gaussian", rule, f"{AUTO}.")


def _coarse_scale(facts: Facts) -> ConfigError | None:
    cfg, kind = facts
    scale = cfg.likelihood.get("scale")
    weighs_kl = "kl_schedule" in cfg  # without it, a fixed scale only sets the unit of the error
    if isinstance(scale, str) or scale is None or scale < kind.deviation or not weighs_kl:
        return None
    rule = f"the values deviate by only {kind.deviation:.2g}: reconstructions will be blurred"
    return ConfigError("likelihood.scale", scale, rule, "Try likelihood.scale=shared.")


def _mean_out_of_reach(facts: Facts) -> ConfigError | None:
    cfg, kind = facts
    if cfg.likelihood.get("mean") != "sigmoid" or kind.word != "real":
        return None
    rule = f"the mean stays between 0 and 1, but values go from {kind.low:.3g} to {kind.high:.3g}"
    return ConfigError("likelihood.mean", "sigmoid", rule, "Try likelihood.mean=identity.")


def _few_steps(facts: Facts) -> ConfigError | None:
    trainer, derived, size = facts.cfg.trainer, facts.cfg.derived, facts.cfg.data.batch_size
    if derived.total_steps >= FEW_STEPS or trainer.fast_dev_run:
        return None
    is_in_steps = trainer.max_steps is not None
    name = "max_steps" if is_in_steps else "max_epochs"
    values = math.prod(derived.shape)
    epochs = suited_epochs(derived.train_images, values, size)
    enough = suited_steps(values, size) if is_in_steps else epochs
    rule = f"makes {derived.total_steps} training steps; fewer than {FEW_STEPS} are rarely enough"
    return ConfigError(f"trainer.{name}", trainer[name], rule, f"Try trainer.{name}={enough}.")


CHECKS: Sequence[Check] = (
    _binarized_shades, _density_of_bits, _coarse_scale, _mean_out_of_reach, _few_steps,
)  # fmt: skip
