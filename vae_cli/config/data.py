"""From a configuration to images that are split and treated."""

from dataclasses import dataclass, replace

from omegaconf import DictConfig

from vae_cli.config.construct import construct, naming_keys, option_of
from vae_cli.config.keys import SHARED
from vae_cli.config.treatment import describe_levels, settled_treatment
from vae_cli.data.arrangement import arrange, describe_trained
from vae_cli.data.dataset import Dataset
from vae_cli.data.kind import range_of
from vae_cli.data.labels import class_count, keep_labels
from vae_cli.data.record import DataChanges, Record, record_of, with_known_classes
from vae_cli.data.split import Split, Treatment
from vae_cli.errors import ConfigError, as_written
from vae_cli.number import FEW_IMAGES

PLACES = ("path", "root")  # keys that say where data are
PUT_ASIDE = ("validation", "test")  # keys that say how large a part is put aside


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
    difference: DataChanges


def load_data(cfg: DictConfig, known: Record | None) -> Loaded:
    """Loads a dataset and puts its images where the run has them.

    Args:
        cfg: The configuration.
        known: The data of the run; None if it has none yet.
    """
    dataset, difference = _load(cfg), DataChanges()
    if known is not None:
        dataset, difference = arrange(with_known_classes(dataset, known), known)
    _check_parts(cfg, dataset)
    record = record_of(dataset, known)
    notes = [*dataset.notes, *describe_trained(record)]
    return Loaded(replace(dataset, notes=notes), record, difference)


def _check_parts(cfg: DictConfig, dataset: Dataset) -> None:
    """Checks that no part is empty."""
    for part, images in dataset.parts.items():
        if not len(images) and not cfg.data.get(part, True):
            rule = f"leaves no {part} images"
            raise ConfigError(f"data.{part}", cfg.data[part], rule, f"Try data.{part}=0.1.")
        if not len(images):
            place = _place(cfg)
            rule = f"none of the run's {part} images are there"
            raise ConfigError(f"data.{place}", cfg.data[place], rule, "Start a new run.")


def load_given(cfg: DictConfig, known: Record) -> Dataset:
    """Loads images that a run does not have, nothing put aside, with the classes of the run.

    Args:
        cfg: Of the run, with the place of those images.
        known: The data of the run.
    """
    whole = cfg.copy()
    for part in PUT_ASIDE:
        if part in whole.data:
            whole.data[part] = 0.0
    channels = cfg.derived.shape[0]
    if "channels" in whole.data and channels in (1, 3):
        whole.data.channels = channels
    dataset = _load(whole)
    if dataset.levels == 2 and cfg.derived.levels == 256:  # dark images are bytes, too
        dataset = replace(dataset, levels=256)
    return with_known_classes(dataset, known)


def _load(cfg: DictConfig) -> Dataset:
    dataset = construct(cfg, "data", without=tuple(SHARED["data"]))
    if not isinstance(dataset, Dataset):
        raise ConfigError("data._target_", cfg.data._target_, "does not load a Dataset of vae_cli")
    return dataset


def check_unchanged(cfg: DictConfig, difference: DataChanges, changed: str | None) -> None:
    """Checks that the data are those that the run was started with.

    Args:
        cfg: The configuration.
        difference: From the data of the run.
        changed: ``accept`` to continue with data that differ.

    Raises:
        ConfigError: If they differ, and that is not accepted.
    """
    if difference and changed != "accept":
        place = _place(cfg)
        rule = f"the data have changed since the run was started: {difference}"
        remedy = "Restore the former data, or continue with these: data.changed=accept."
        raise ConfigError(f"data.{place}", cfg.data[place], rule, remedy)


def _place(cfg: DictConfig) -> str:
    """The key that says where the data are."""
    return next((name for name in PLACES if cfg.data.get(name)), "_target_")


def keep_some_labels(cfg: DictConfig, dataset: Dataset) -> Dataset:
    """The dataset with as many training labels as the configuration wants to be known."""
    count, seed = cfg.data.get("labels"), cfg.data.get("label_seed")
    with naming_keys(cfg, "data"):
        return dataset if count is None else keep_labels(dataset, count, seed or 0)


def check_suits(cfg: DictConfig, dataset: Dataset) -> None:
    """Checks that a dataset is of the kind that a run was made for."""
    remedy = "Name images like those of the run."
    found = {"shape": list(dataset.train.shape), "levels": dataset.levels}
    words = {"shape": lambda shape: f"shape {as_written(list(shape))}", "levels": describe_levels}
    for name, value in found.items():
        if value != cfg.derived[name]:
            ours, theirs = words[name](value), words[name](cfg.derived[name])
            rule = f"the images have {ours}, and those of the run {theirs}"
            raise ConfigError("data", option_of(cfg.data), rule, remedy)
    low, high = range_of(dataset)
    if cfg.data.binarize != "none" and not 0 <= low <= high <= 1:
        rule = f"the images have values from {low:g} to {high:g}, and those of the run from 0 to 1"
        raise ConfigError("data", option_of(cfg.data), rule, remedy)
    classes, known = class_count(dataset), cfg.derived.get("classes")
    if known and classes > known:  # fewer can be measured
        rule = f"the images have {classes} classes, and those of the run {known}"
        raise ConfigError("data", option_of(cfg.data), rule, remedy)


def build_splits(cfg: DictConfig) -> dict[str, Split]:
    """The parts of a run's data, treated as the run treats them."""
    dataset = load_data(cfg, None).dataset
    return split_by_part(dataset, settled_treatment(cfg, dataset))


def split_by_part(dataset: Dataset, treatment: Treatment) -> dict[str, Split]:
    """The parts of a dataset, treated."""
    return {
        name: Split(name, images, treatment, dataset.classes)
        for name, images in dataset.parts.items()
    }


def describe_few_images(dataset: Dataset) -> str:
    """What to say of parts with too few images to measure anything; empty of others."""
    sizes = {part: len(images) for part, images in dataset.parts.items()}
    few = [f"{size} {part}" for part, size in sizes.items() if size < FEW_IMAGES]
    if not few:
        return ""
    return f"few images ({', '.join(few)}): numbers of fewer than {FEW_IMAGES} cannot be trusted"
