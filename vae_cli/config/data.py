"""From a configuration to images that are split and treated."""

import math
from dataclasses import dataclass, replace

from omegaconf import DictConfig
from torch.distributions import constraints

from vae_cli.config.construct import construct, option_of
from vae_cli.config.keys import shared_keys
from vae_cli.data.dataset import Dataset, StoredImages
from vae_cli.data.labels import class_count, keep_labels
from vae_cli.data.record import Difference, Record, arrange, record_of, with_known_classes
from vae_cli.data.split import Binarize, Encode, Split, Treatment
from vae_cli.errors import ConfigError
from vae_cli.metric.base import FEW_IMAGES

PLACES = ("path", "root")  # keys that say where data are
PUT_ASIDE = ("validation", "test")  # keys that say how large a part is put aside
GREY_LEVELS = 255  # the scale of floats that look like bytes
WIDE = 20.0  # a range of real values beyond which training is at risk


@dataclass(frozen=True)
class Loaded:
    """A dataset as a run sees it.

    Attributes:
        dataset: With the run's classes, in the run's parts; all labels known.
        record: Of it.
        difference: From the data that the run was started with.
    """

    dataset: Dataset
    record: Record
    difference: Difference


def load_data(cfg: DictConfig, known: Record | None) -> Loaded:
    """Loads a dataset and puts its images where the run has them.

    Args:
        cfg: The configuration.
        known: The data of the run; None if it has none yet.

    Raises:
        VaeCliError: If it cannot be loaded.
    """
    dataset, difference = _load(cfg), Difference()
    if known is not None:
        dataset, difference = arrange(with_known_classes(dataset, known), known)
    for part, images in dataset.parts.items():
        if not len(images):
            rule = f"leaves no image to {part}"
            raise ConfigError(f"data.{part}", cfg.data.get(part), rule, f"Try data.{part}=0.1.")
    return Loaded(dataset, record_of(dataset, known), difference)


def load_given(cfg: DictConfig, known: Record) -> Dataset:
    """Loads images that a run does not have, nothing put aside, with the classes of the run.

    Args:
        cfg: Of the run, with the place of those images.
        known: The data of the run.

    Raises:
        VaeCliError: If they cannot be loaded.
    """
    whole = cfg.copy()
    for part in PUT_ASIDE:
        if part in whole.data:
            whole.data[part] = 0.0
    return with_known_classes(_load(whole), known)


def _load(cfg: DictConfig) -> Dataset:
    dataset = construct(cfg, "data", without=shared_keys("data"))
    if not isinstance(dataset, Dataset):
        raise ConfigError("data._target_", cfg.data._target_, "does not load a Dataset of vae_cli")
    return dataset


def check_unchanged(cfg: DictConfig, difference: Difference, changed: str | None) -> None:
    """Checks that the data are those that the run was started with.

    Args:
        cfg: The configuration.
        difference: From the data of the run.
        changed: ``accept`` to go on with data that differ.

    Raises:
        ConfigError: If they differ, and that is not accepted.
    """
    if difference and changed != "accept":
        place = next((name for name in PLACES if cfg.data.get(name)), "_target_")
        rule = f"the data have changed since the run was started: {difference}"
        remedy = (
            "Put the former data back, or add data.changed=accept: "
            "known images stay in their part, and new ones are split by the seed."
        )
        raise ConfigError(f"data.{place}", cfg.data[place], rule, remedy)


def keep_some_labels(cfg: DictConfig, dataset: Dataset) -> Dataset:
    """The dataset with as many training labels as the configuration wants to be known."""
    count, seed = cfg.data.get("labels"), cfg.data.get("label_seed")
    return dataset if count is None else keep_labels(dataset, count, seed or 0)


def check_suits(cfg: DictConfig, dataset: Dataset) -> None:
    """Checks that a dataset is of the kind that a run was made for.

    Args:
        cfg: Of the run, every value concrete.
        dataset: With the run's classes.

    Raises:
        ConfigError: If it is not.
    """
    found = {"shape": list(dataset.train.shape), "levels": dataset.levels}
    remedy = "Are they where the run had them?"
    for name, value in found.items():
        if value != cfg.derived[name]:
            rule = f"the images have {name} {value}, and those of the run had {cfg.derived[name]}"
            raise ConfigError("data", option_of(cfg.data), rule, remedy)
    low, high = _range_of(dataset)
    if cfg.data.binarize != "none" and not 0 <= low <= high <= 1:
        rule = f"the images have values from {low:g} to {high:g}, and those of the run from 0 to 1"
        raise ConfigError("data", option_of(cfg.data), rule, remedy)
    classes, known = class_count(dataset), cfg.derived.get("classes")
    if known and classes > known:  # fewer can be measured
        rule = f"the images have {classes} classes, and those of the run had {known}"
        raise ConfigError("data", option_of(cfg.data), rule, remedy)


def split_by_part(dataset: Dataset, treatment: Treatment) -> dict[str, Split]:
    """The parts of a dataset, treated."""
    return {
        name: Split(name, images, treatment, dataset.classes)
        for name, images in dataset.parts.items()
    }


def models_binary_values(cfg: DictConfig) -> bool:
    """Whether the likelihood is one of binary values."""
    return construct(cfg, "likelihood", partial=True)().support is constraints.boolean


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
    kinds = "real values" if levels is None else f"{levels} grey levels"
    if binarize == "auto":
        binarize = ("static" if levels == 2 else "dynamic") if is_binary else "none"
    if is_binary and binarize == "none" and levels != 2:
        rule = f"the likelihood is one of binary values, and the images have {kinds}"
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


def settled_treatment(cfg: DictConfig, dataset: Dataset, binarize: Binarize) -> Treatment:
    """How pixels are treated, once all choices are made."""
    # Runs of earlier versions say nothing of what the encoder sees.
    encode: Encode = cfg.data.get("encode") or "modelled"
    low, high = _range_of(replace(dataset, validation=dataset.train, test=dataset.train))
    is_usual = binarize != "none" or low == high or 0 <= low <= high <= 1
    limits = (0.0, 1.0) if is_usual else (low, high)
    return Treatment(binarize, cfg.data.dequantize, dataset.levels, encode, limits)


def advise_on_range(cfg: DictConfig, treatment: Treatment) -> str:
    """What to do about values so large that training may fail; empty of others."""
    low, high = treatment.limits
    if "scale" not in cfg.data or high - low <= WIDE:
        return ""
    scale = f"data.scale={suggested_scale(low, high):g}"
    return f"Try {scale} in a new run: values go from {low:g} to {high:g}."


def describe_few_images(dataset: Dataset) -> str:
    """What to say of parts with too few images to measure anything; empty of others."""
    sizes = {part: len(images) for part, images in dataset.parts.items()}
    few = [f"{size} {part}" for part, size in sizes.items() if size < FEW_IMAGES]
    if not few:
        return ""
    return f"few images ({', '.join(few)}): numbers of fewer than {FEW_IMAGES} cannot be trusted"


def suggested_scale(low: float, high: float) -> float:
    """What values are divided by to lie between -1 and 1, or 0 and 1: in few digits, rounded up."""
    largest = max(abs(low), abs(high))
    if GREY_LEVELS / 2 < largest <= GREY_LEVELS and low >= 0:
        return GREY_LEVELS
    digit = 10.0 ** (math.floor(math.log10(largest)) - 1)
    return largest if largest.is_integer() else math.ceil(largest / digit) * digit


def _range_of(dataset: Dataset) -> tuple[float, float]:
    """The smallest and the largest of real values; 0 and 1 of grey levels."""
    parts = [p.pixels for p in dataset.parts.values() if isinstance(p, StoredImages) and len(p)]
    if dataset.levels is not None or not parts:
        return 0.0, 1.0
    return min(p.min().item() for p in parts), max(p.max().item() for p in parts)


def _check_range(cfg: DictConfig, dataset: Dataset) -> None:
    """Checks that real values can be probabilities."""
    low, high = _range_of(dataset)
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
