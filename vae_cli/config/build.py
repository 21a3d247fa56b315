"""From a checked configuration to objects.

What depends on several groups (the images' shape, ``binarize=auto``, durations in epochs) is
found out here, once, and written into the configuration as concrete values.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict
from torch.distributions import constraints

from vae_cli import noise
from vae_cli.config.agreement import (
    check_found,
    check_labels,
    check_measured,
    check_model,
    check_parts,
    check_room,
    monitored,
)
from vae_cli.config.check import in_epochs
from vae_cli.config.construct import construct, option_of
from vae_cli.config.keys import shared_keys
from vae_cli.config.memory import check_step, check_weights, sizes_counted
from vae_cli.data.dataset import Dataset, StoredImages
from vae_cli.data.labels import class_count, keep_labels
from vae_cli.data.split import Binarize, Encode, Split, Treatment
from vae_cli.errors import ConfigError
from vae_cli.figure.base import Figure
from vae_cli.folders import check_name
from vae_cli.kl_schedule.base import KlSchedule
from vae_cli.metric.base import Metric, check_rivals
from vae_cli.metric.reported import Reported
from vae_cli.model.base import Model
from vae_cli.objective.base import Objective
from vae_cli.training.options import AcceleratorOptions, TrainerOptions
from vae_cli.training.trainer import check_accelerator

FAST_DEV_STEPS = 5


@dataclass(frozen=True)
class Experiment:
    """Everything a run is made of.

    Attributes:
        config: The configuration, every value concrete.
        kl_schedule: None where the objective weighs no KL.
        monitor: The quantity that the best checkpoint and early stopping follow.
    """

    config: DictConfig
    splits: dict[str, Split]
    model: Model
    objective: Objective
    kl_schedule: KlSchedule | None
    make_optimizer: Callable[..., Any]
    make_lr_schedule: Callable[..., Any] | None
    monitor: str
    metrics: Mapping[str, Metric]
    figures: Mapping[str, Figure]
    trainer: TrainerOptions
    accelerator: AcceleratorOptions


def build(cfg: DictConfig) -> Experiment:
    """Loads the data and builds the model and all that trains and measures it.

    Args:
        cfg: As ``compose`` returns it; changed in place.

    Raises:
        VaeCliError: If something can't be had, or does not go together.
    """
    accelerator: AcceleratorOptions = construct(cfg, "accelerator")
    check_accelerator(accelerator)
    is_binary = models_binary_values(cfg)
    dataset = _load(cfg)
    treatment = _treatment(cfg, dataset, is_binary)
    with open_dict(cfg):
        _settle(cfg, dataset, treatment, accelerator)
    OmegaConf.resolve(cfg)
    check_found(cfg)
    check_labels(cfg, dataset)
    objective = construct(cfg, "objective")
    kl_schedule: KlSchedule | None = construct(cfg, "kl_schedule")
    trainer: TrainerOptions = construct(cfg, "trainer")
    weight = 1.0 if kl_schedule is None else kl_schedule(kl_schedule.settled_at)
    reported = Reported(objective, weight)
    check_room(cfg, objective, accelerator)
    with sizes_counted(cfg):
        with torch.device("meta"):
            outline = construct_model(cfg)
        check_model(cfg, outline, objective)
        check_parts(cfg, outline, objective)
        check_weights(cfg, outline)
        check_step(cfg, outline, objective)
    model = build_model(cfg)
    experiment = Experiment(
        config=cfg,
        splits=_splits(dataset, treatment),
        model=model,
        objective=objective,
        kl_schedule=kl_schedule,
        make_optimizer=construct(cfg, "optimizer", without=("lr_schedule",), partial=True),
        make_lr_schedule=construct(cfg, "optimizer.lr_schedule", partial=True),
        monitor=monitored(reported, trainer),
        metrics={"reported": reported} | build_each(cfg, "metric"),
        figures=build_each(cfg, "figure"),
        trainer=trainer,
        accelerator=accelerator,
    )
    check_rivals(experiment.metrics)
    check_measured(model, experiment.metrics)
    _try_optimizer(experiment)
    return experiment


def build_splits(cfg: DictConfig) -> dict[str, Split]:
    """The images of a configuration whose values are concrete, treated as it says.

    Raises:
        VaeCliError: If they can't be had, or are not those that the configuration was made for.
    """
    dataset = _load(cfg)
    found = {"shape": list(dataset.train.shape), "levels": dataset.levels}
    for name, value in found.items():
        if value != cfg.derived[name]:
            rule = f"the images have {name} {value}, and those of the run had {cfg.derived[name]}"
            raise ConfigError("data", option_of(cfg.data), rule, "Are they where the run had them?")
    classes, known = class_count(dataset), cfg.derived.get("classes")
    if known is not None and classes > known:  # fewer can be measured
        rule = f"the images have {classes} classes, and those of the run had {known}"
        raise ConfigError("data", option_of(cfg.data), rule, "Are they where the run had them?")
    return _splits(dataset, _settled(cfg, dataset, cfg.data.binarize))


def models_binary_values(cfg: DictConfig) -> bool:
    """Whether the likelihood is one of binary values."""
    return construct(cfg, "likelihood", partial=True)().support is constraints.boolean


def build_each(cfg: DictConfig, group: str) -> dict[str, Any]:
    """The objects of a group of which several can be chosen, by name."""
    for name in cfg.get(group) or {}:
        check_name(group, str(name))  # of which files and numbers get their names
    return {name: construct(cfg, f"{group}.{name}") for name in cfg.get(group) or {}}


def build_model(cfg: DictConfig) -> Model:
    """The model of a configuration whose values are concrete, with fresh weights."""
    noise.seed_draws(torch.device("cpu"), "weights", cfg.seed)
    return construct_model(cfg)


def construct_model(cfg: DictConfig) -> Model:
    """The model of a configuration, on torch's current device; its weights are left to chance.

    Raises:
        ConfigError: If what it names is no model.
    """
    model = construct(cfg, "model", without=shared_keys(cfg.model._target_))
    if not isinstance(model, Model):
        raise ConfigError("model._target_", cfg.model._target_, "is not a Model of vae_cli")
    return model


def _load(cfg: DictConfig) -> Dataset:
    """The images, with as many training labels as are to be known."""
    dataset = construct(cfg, "data", without=shared_keys("data"))
    if not isinstance(dataset, Dataset):
        raise ConfigError("data._target_", cfg.data._target_, "does not load a Dataset of vae_cli")
    count, seed = cfg.data.get("labels"), cfg.data.get("label_seed")
    return dataset if count is None else keep_labels(dataset, count, seed or 0)


def _splits(dataset: Dataset, treatment: Treatment) -> dict[str, Split]:
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    return {name: Split(name, images, treatment, dataset.classes) for name, images in parts.items()}


def _treatment(cfg: DictConfig, dataset: Dataset, is_binary: bool) -> Treatment:
    """How pixels are treated, checked against the data and the likelihood."""
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
        raise ConfigError(
            "data.dequantize", True, rule, "Try likelihood=gaussian data.binarize=none."
        )
    if binarize != "none" and levels is None:
        _check_range(cfg, dataset)
    return _settled(cfg, dataset, binarize)


def _settled(cfg: DictConfig, dataset: Dataset, binarize: Binarize) -> Treatment:
    # Runs of earlier versions say nothing of what the encoder sees.
    encode: Encode = cfg.data.get("encode") or "modelled"
    return Treatment(binarize, cfg.data.dequantize, dataset.levels, encode)


def _check_range(cfg: DictConfig, dataset: Dataset) -> None:
    for images in (dataset.train, dataset.validation, dataset.test):
        if isinstance(images, StoredImages):
            low, high = images.pixels.min().item(), images.pixels.max().item()
            if low < 0 or high > 1:
                rule = f"needs values from 0 to 1, and these go from {low:g} to {high:g}"
                remedy = "Try likelihood=gaussian, or scale them to that, or store bytes."
                if cfg.data.binarize == "auto":  # as the likelihood wants it
                    raise ConfigError("likelihood", option_of(cfg.likelihood), rule, remedy)
                raise ConfigError("data.binarize", cfg.data.binarize, rule, remedy)


def _settle(
    cfg: DictConfig, dataset: Dataset, treatment: Treatment, accelerator: AcceleratorOptions
) -> None:
    """Writes what follows from the data into the configuration."""
    count, size, processes = len(dataset.train), cfg.data.batch_size, accelerator.processes
    if size > count:
        rule = f"there are only {count} training images"
        raise ConfigError("data.batch_size", size, rule, f"Try data.batch_size={count}.")
    if size % processes:
        rule = f"does not divide evenly among {processes} processes"
        near = max(size // processes, 1) * processes
        raise ConfigError("data.batch_size", size, rule, f"Try data.batch_size={near}.")
    cfg.data.binarize = treatment.binarize
    per_epoch = count // size
    trainer = cfg.trainer
    total = trainer.max_steps or trainer.max_epochs * per_epoch
    trainer.max_epochs = None if trainer.max_steps else trainer.max_epochs
    cfg.derived = {
        "shape": list(dataset.train.shape),
        "levels": dataset.levels,
        "classes": class_count(dataset),
        "train_images": count,
        "labelled_images": int((dataset.train.labels >= 0).sum()),
        "steps_per_epoch": per_epoch,
        "total_steps": FAST_DEV_STEPS if trainer.fast_dev_run else total,
    }
    for key in ("kl_schedule", "optimizer.lr_schedule"):
        if node := OmegaConf.select(cfg, key):  # a constant learning rate has none
            _epochs_to_steps(node, per_epoch)


def _epochs_to_steps(node: DictConfig, steps_per_epoch: int) -> None:
    """Puts durations given in epochs into steps; those given in steps count as they are."""
    for name in [str(name) for name in node if in_epochs(str(name)) in node]:
        epochs = node.pop(in_epochs(name))
        if node[name] is None:
            several = isinstance(epochs, ListConfig)
            steps = [max(1, round(e * steps_per_epoch)) for e in (epochs if several else [epochs])]
            node[name] = steps if several else steps[0]


def _try_optimizer(experiment: Experiment) -> None:
    """Builds the optimizer once: what it does not accept is told before anything is written."""
    options, trainer = experiment.config.optimizer, experiment.trainer
    try:
        optimizer = experiment.make_optimizer(experiment.model.parameters())
        if experiment.make_lr_schedule is not None:
            experiment.make_lr_schedule(optimizer)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigError("optimizer", option_of(options), " ".join(str(error).split())) from error
    fused = options.get("fused") and experiment.accelerator.precision == "16-mixed"
    if fused and trainer.gradient_clip is not None:
        rule = "does not go with trainer.gradient_clip in 16-mixed"
        raise ConfigError("optimizer.fused", True, rule, "Try optimizer.fused=false.")
