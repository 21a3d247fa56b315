"""A trained model and its images, from its run's folder alone."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from omegaconf import DictConfig
from torch import Size

from vae_cli.config.data import (
    PLACES,
    Loaded,
    check_suits,
    check_unchanged,
    keep_some_labels,
    load_data,
    load_given,
    split_by_part,
)
from vae_cli.config.treatment import settled_treatment
from vae_cli.data.arrangement import arrange, describe_trained, pool_of
from vae_cli.data.dataset import Dataset, StoredImages
from vae_cli.data.files import reading_only
from vae_cli.data.opened import noting_files
from vae_cli.data.record import Record
from vae_cli.data.split import Split
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.example import example_kind
from vae_cli.model.base import Model
from vae_cli.model.labelled import LabelledModel, fit_classifier
from vae_cli.run.checkpoint import checkpoint_of
from vae_cli.run.folder import RunFolder
from vae_cli.run.known_data import write_record
from vae_cli.run.pretrained import open_pretrained

GIVEN = "given"  # the split of images that the user names and the run does not have


@dataclass(frozen=True)
class Subject:
    """A trained model and its images.

    Attributes:
        folder: Of its run.
        checkpoint: Which of the folder's.
        model: On the device on which it is measured, as are the images.
        config: Of its run, every value concrete.
        splits: By name: those of the run, and ``given`` where the user names images that the run
            does not have.
        measured: The name of the split that is asked for.
        notes: What the user should know of the images, a line each.
        files: Paths of the files of data that were read.
        read_at: Nanoseconds since 1970, before the first of them was.
    """

    folder: RunFolder
    checkpoint: Path
    model: Model
    config: DictConfig
    splits: Mapping[str, Split]
    measured: str
    notes: Sequence[str]
    files: frozenset[str] = frozenset()
    read_at: int = 0


def load_subject(
    path: str, cfg: DictConfig, needs_images: Callable[[Model], bool] = lambda model: True
) -> Subject:
    """Rebuilds a run's model, and loads its images or those that the user names.

    Args:
        path: The run's folder.
        cfg: Says ``checkpoint``, ``device``, ``split``, ``data`` and ``trust``, as ``eval.yaml``
            has them.
        needs_images: Whether images are needed of a model; without, they need not be there.
    """
    began = time.time_ns()
    with noting_files() as files:
        run = _open(path, cfg)
        if not needs_images(run.model):
            return _without_images(run, cfg)
        subject = _given(run, cfg) or _with_own(run, cfg, {})
        fit_classifier(subject.model, subject.splits["train"])
    return replace(subject, files=frozenset(files), read_at=began)


def load_trained(path: str, cfg: DictConfig, data: Mapping[str, Any]) -> Subject:
    """Rebuilds a run's model, with the parts that the run has of any images.

    Nothing is fitted to them. Images at another place may differ from the run's.

    Args:
        path, cfg: As for ``load_subject``.
        data: What to put in place of the run's own options of the data.
    """
    return _with_own(_open(path, cfg), cfg, data)


class _Run(NamedTuple):
    """A run that is opened, its images not yet."""

    folder: RunFolder
    checkpoint: Path
    model: Model
    config: DictConfig
    record: Record | None
    place: dict[str, str]  # of the images, in place of the run's own
    device: torch.device


def _open(path: str, cfg: DictConfig) -> _Run:
    device = _device(cfg.device)
    folder = RunFolder.existing(path, key="run")
    checkpoint = checkpoint_of(folder, cfg.checkpoint)
    run = open_pretrained(folder, checkpoint, "run", cfg.trust)
    place = {name: str(cfg.data[name]) for name in PLACES if cfg.data[name] is not None}
    for name, value in place.items():
        if name not in run.config.data:
            rule = f"the run's data have no {name}"
            raise ConfigError(f"data.{name}", value, rule, "Leave it out.")
    model = run.model.to(device)
    return _Run(folder, checkpoint, model, run.config, run.record, place, device)


def _given(run: _Run, cfg: DictConfig) -> Subject | None:
    """With the images at a place that the user names; None if they are the run's own."""
    if not run.place or run.record is None or cfg.data.changed == "accept":
        return None
    config = _with_data(run.config, run.place)
    dataset = load_given(config, run.record)
    if not arrange(dataset, run.record)[1]:  # moved
        return None
    check_suits(config, dataset)
    return _with_given(run, cfg, dataset, run.record)


def _with_own(run: _Run, cfg: DictConfig, data: Mapping[str, Any]) -> Subject:
    """With the parts that the run has."""
    config = _with_data(run.config, {**run.place, **data})
    foreign = "root" not in run.place and config.data.get("root") is not None and not cfg.trust
    try:
        with reading_only(foreign):
            loaded = load_data(config, run.record)
    except VaeCliError as error:
        raise _with_place(error, run) from error
    check_suits(config, loaded.dataset)
    difference, notes = loaded.difference, _doubts(run, loaded)
    accepts = cfg.data.changed == "accept"
    if accepts or not run.place:
        check_unchanged(config, difference, cfg.data.changed)
    if difference:
        notes = [*loaded.dataset.notes, f"the data differ from those of the run: {difference}"]
        if accepts and not run.place:  # of data elsewhere the run keeps its own record
            write_record(run.folder, loaded.record)
    dataset = keep_some_labels(config, loaded.dataset)
    treatment = settled_treatment(config, dataset)
    splits = {name: s.to(run.device) for name, s in split_by_part(dataset, treatment).items()}
    return Subject(
        run.folder, run.checkpoint, run.model, config, splits, cfg.get("split", "test"), notes
    )


def _with_place(error: VaeCliError, run: _Run) -> VaeCliError:
    """What is wrong with the images of a run, and how to say where they are now."""
    places = [name for name in PLACES if name in run.config.data and name not in run.place]
    is_elsewhere = not isinstance(error, ConfigError) or error.key.removeprefix("data.") in PLACES
    if not places or not is_elsewhere:
        return error
    where = " or ".join(f"data.{name}=WHERE_THEY_ARE" for name in places)
    remedy = f"If the images of the run have moved, add {where}."
    if not isinstance(error, ConfigError):
        return VaeCliError(f"{error} {remedy}")
    return ConfigError(error.key, error.value, error.rule, f"{error.remedy} {remedy}".lstrip())


def _without_images(run: _Run, cfg: DictConfig) -> Subject:
    """With empty parts: of pictures that need no images."""
    config, notes = run.config, list[str]()
    is_of_images = example_kind(Size(config.derived.shape)) == "image"
    if config.derived.levels is None and is_of_images:
        try:  # what is black and white, only the images say
            return _with_own(run, cfg, {})
        except VaeCliError as error:
            notes = [f"black is 0 and white is 1, since the images can't be read: {error}"]
    nothing = StoredImages(torch.empty(0, *config.derived.shape))
    classes = () if run.record is None else run.record.classes
    dataset = Dataset(nothing, nothing, nothing, config.derived.levels, classes)
    splits = split_by_part(dataset, settled_treatment(config, dataset))
    own = {name: each.to(run.device) for name, each in splits.items()}
    return Subject(run.folder, run.checkpoint, run.model, config, own, cfg.split, notes)


def _doubts(run: _Run, loaded: Loaded) -> list[str]:
    """What to say of the images even where they have not changed."""
    if run.record is not None:
        return describe_trained(loaded.record)
    rule = "whether these are the images that it was trained on is not known"
    return [f"the run has no {run.folder.data.name}: {rule}"]


def _with_given(run: _Run, cfg: DictConfig, dataset: Dataset, record: Record) -> Subject:
    """With images that the run does not have, and with its own where they exist."""
    images = pool_of(dataset, cfg.split)
    part = "" if cfg.split in dataset.pooled else f" of its {cfg.split} part"
    place = next(iter(run.place.values()))
    known = int(np.isin(images.digests(), record.trained).sum())
    treatment = settled_treatment(run.config, dataset)
    notes = [
        *dataset.notes,
        f"{place} has other images than the run: {len(images)}{part} are taken"
        + (f", of which {known} were trained on" if known else ""),
    ]
    try:
        own = dict(_with_own(run._replace(place={}), cfg, {}).splits)
    except VaeCliError as error:  # what needs them is left out
        if isinstance(run.model, LabelledModel) and not run.model.is_fitted:
            raise VaeCliError(f"{error} The classifier is fitted to these.") from error
        notes.append(f"nothing is fitted to the run's own images: {error}")
        nothing = images.subset(torch.arange(0))
        own = split_by_part(Dataset(nothing, nothing, nothing, dataset.levels), treatment)
    given = Split(GIVEN, images, treatment, dataset.classes).to(run.device)
    return Subject(
        run.folder, run.checkpoint, run.model, run.config, {**own, GIVEN: given}, GIVEN, notes
    )


def _with_data(config: DictConfig, data: Mapping[str, Any]) -> DictConfig:
    config = config.copy()
    config.data.update(data)
    return config


def _device(wanted: str) -> torch.device:
    has_gpu = torch.cuda.is_available()
    if wanted == "gpu" and not has_gpu:
        raise ConfigError("device", wanted, "torch sees no GPU here", "Try device=cpu.")
    return torch.device("cuda" if has_gpu and wanted != "cpu" else "cpu")
