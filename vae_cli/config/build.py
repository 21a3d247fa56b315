"""From a checked configuration to objects.

What depends on several groups (the images' shape, ``binarize=auto``, durations in epochs) is
found out here, once, and written into the configuration as concrete values.
"""

from collections.abc import Collection
from typing import Any

import torch
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict

from vae_cli import noise
from vae_cli.config.agreement import (
    applicable,
    check_draws,
    check_found,
    check_groups,
    check_labels,
    check_model,
    check_networks,
    check_room,
    monitored,
)
from vae_cli.config.check import in_epochs
from vae_cli.config.construct import construct, naming_keys, option_of
from vae_cli.config.data import (
    check_unchanged,
    describe_few_images,
    keep_some_labels,
    load_data,
    split_by_part,
)
from vae_cli.config.description import describe_inferred
from vae_cli.config.doubts import Facts, doubts_about
from vae_cli.config.memory import check_step, check_weights, sizes_counted
from vae_cli.config.suited import suit
from vae_cli.config.treatment import advise_on_range, choose_treatment, models_binary_values
from vae_cli.data.dataset import Dataset
from vae_cli.data.kind import kind_of
from vae_cli.data.labels import class_count
from vae_cli.data.record import Record
from vae_cli.data.split import Treatment
from vae_cli.errors import ConfigError
from vae_cli.folders import check_name
from vae_cli.kl_schedule.base import KlSchedule
from vae_cli.metric.base import check_rivals
from vae_cli.metric.reported import Reported
from vae_cli.model.base import Model
from vae_cli.training.compilation import check_compile
from vae_cli.training.experiment import Experiment
from vae_cli.training.optimizer_state import optimizers_of
from vae_cli.training.options import AcceleratorOptions, TrainerOptions
from vae_cli.training.trainer import check_accelerator

FAST_DEV_STEPS = 5
REPORTED = "reported"  # name of the metric that every run has


def build(
    cfg: DictConfig, known: Record | None = None, requested: Collection[str] = ()
) -> Experiment:
    """Loads the data and builds the model and all that trains and measures it.

    Args:
        cfg: As ``compose`` returns it; changed in place.
        known: The data that the run had when it was started.
        requested: The metrics that the user asks for by name.

    Raises:
        VaeCliError: If something can't be had, or does not go together.
    """
    accelerator: AcceleratorOptions = construct(cfg, "accelerator")
    with naming_keys(cfg, "accelerator"):
        check_accelerator(accelerator)
    loaded = load_data(cfg, known)
    check_unchanged(cfg, loaded.difference, cfg.data.get("changed"))
    dataset = keep_some_labels(cfg, loaded.dataset)
    kind = kind_of(dataset)
    suit(cfg, dataset, kind, accelerator.processes)
    treatment = choose_treatment(cfg, dataset, models_binary_values(cfg, dataset.train.shape))
    range_advice = advise_on_range(cfg, dataset)
    changes = f"the data have changed: {loaded.difference}" if loaded.difference else ""
    of_range = range_advice and f"training may fail. {range_advice}"
    notes = [changes, of_range, describe_few_images(dataset)]
    alike = ["all training images are equal: there is nothing to learn"] if kind.is_alike else []
    with open_dict(cfg):
        _settle(cfg, dataset, treatment, accelerator)
    OmegaConf.resolve(cfg)
    check_found(cfg)
    check_networks(cfg)
    check_labels(cfg, dataset)
    objective = construct(cfg, "objective")
    kl_schedule: KlSchedule | None = construct(cfg, "kl_schedule")
    trainer: TrainerOptions = construct(cfg, "trainer")
    if trainer.compile:
        with naming_keys(cfg, "trainer"):
            check_compile(objective)
    weight = 1.0 if kl_schedule is None else kl_schedule(kl_schedule.settled_at)
    reported = Reported(objective, weight)
    check_room(cfg, objective, accelerator)
    with sizes_counted(cfg):
        with torch.device("meta"):  # shapes without numbers: checked before memory is taken
            outline = construct_model(cfg)
        check_model(cfg, outline, objective)
        check_groups(cfg, outline, objective)
        check_weights(cfg, outline)
        check_step(cfg, outline, objective)
    model = build_model(cfg)
    check_draws(cfg, model, objective)
    experiment = Experiment(
        config=cfg,
        splits=split_by_part(dataset, treatment),
        record=loaded.record,
        notes=[*dataset.notes, *filter(None, notes)],
        inferred=describe_inferred(cfg, dataset, kind),
        doubts=alike or doubts_about(Facts(cfg, kind)),
        range_advice=range_advice,
        model=model,
        objective=objective,
        kl_schedule=kl_schedule,
        make_optimizer=construct(cfg, "optimizer", without=("lr_schedule",), partial=True),
        make_lr_schedule=construct(cfg, "optimizer.lr_schedule", partial=True),
        monitor=monitored(reported, trainer),
        metrics={
            REPORTED: reported,
            **applicable("metric", build_each(cfg, "metric"), model, requested),
        },
        figures=build_each(cfg, "figure"),
        trainer=trainer,
        accelerator=accelerator,
    )
    with naming_keys(cfg, "metric"):
        check_rivals(experiment.metrics)
    _try_optimizer(experiment)
    return experiment


def build_each(cfg: DictConfig, group: str) -> dict[str, Any]:
    """The objects of a group of which several can be chosen, by name."""
    for name in cfg.get(group) or {}:
        if (group, name) == ("metric", REPORTED):
            rule = "is the name of the numbers that the objective reports"
            raise ConfigError(group, name, rule, "Choose another name for the metric.")
        check_name(group, str(name))  # files and numbers are named after it
    return {name: construct(cfg, f"{group}.{name}") for name in cfg.get(group) or {}}


def build_model(cfg: DictConfig) -> Model:
    """The model of a configuration whose values are concrete, with fresh weights."""
    with noise.stream(torch.device("cpu"), "weights", cfg.seed):
        return construct_model(cfg)


def construct_model(cfg: DictConfig) -> Model:
    """The model of a configuration, on torch's current device; its weights are left to chance.

    Raises:
        ConfigError: If what it names is no model.
    """
    model = construct(cfg, "model")
    if not isinstance(model, Model):
        raise ConfigError("model._target_", cfg.model._target_, "is not a Model of vae_cli")
    return model


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
    cfg.data.pop("changed", None)  # of today's command line alone
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
    """Builds the optimizers once, so that a bad option is reported before anything is written."""
    options, trainer = experiment.config.optimizer, experiment.trainer
    players = experiment.objective.players(experiment.model)
    try:
        for optimizer in optimizers_of(players, experiment.make_optimizer):
            if experiment.make_lr_schedule is not None:
                experiment.make_lr_schedule(optimizer)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigError("optimizer", option_of(options), " ".join(str(error).split())) from error
    fused = options.get("fused") and experiment.accelerator.precision == "16-mixed"
    if fused and trainer.gradient_clip is not None:
        rule = "cannot be combined with trainer.gradient_clip in 16-mixed"
        raise ConfigError("optimizer.fused", True, rule, "Try optimizer.fused=false.")
