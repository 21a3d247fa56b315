"""What a trained encoder is worth to a classifier, beside one that has learned nothing before."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from omegaconf import DictConfig
from rich.console import Console
from torch import Tensor, nn

from vae_cli import noise
from vae_cli.analysis.probe import accuracy_of, linear_probe, share_and_error
from vae_cli.config.build import build_model
from vae_cli.console import print_note
from vae_cli.data.dataset import Dataset
from vae_cli.data.labels import class_count, missing_labels
from vae_cli.data.split import Split
from vae_cli.errors import ConfigError, InvalidOption, as_written
from vae_cli.evaluation.numbers import matching, read_finetuned, update_finetuned
from vae_cli.model.base import Model
from vae_cli.model.classifier import EncoderClassifier, Head
from vae_cli.model.codes import coded
from vae_cli.progress import progress
from vae_cli.run.images import basis_of
from vae_cli.run.subject import Subject, load_trained
from vae_cli.training.supervised import SupervisedOptions, score_of, train_on_labels

SETTING = ("labels", "label_seed", "freeze", "seed")  # of which a run's folder has each once


def finetune(path: str, cfg: DictConfig, console: Console) -> dict[str, Any]:
    """Trains a classifier on a run's encoder and one from fresh weights, and fits a linear one.

    Args:
        path: The run's folder, into which the numbers are written.
        cfg: As composed from ``finetune.yaml``.
        console: Where progress is shown.

    Returns:
        The numbers, after what they depend on. What the folder has of the very same already is not
        trained again.

    Raises:
        ConfigError: If there are not the labels for it.
        TrainingError: If a loss is no longer a number.
    """
    subject = _load(path, cfg)
    for note in subject.notes:
        print_note(console, note)
    classes = _classes(subject, cfg)
    train = subject.splits["train"].images
    chosen = {
        "labels": cfg.labels,
        "labelled_images": int((train.labels >= 0).sum()),
        "label_seed": None if cfg.labels == "all" else cfg.label_seed,
        "freeze": cfg.freeze,
        "hidden_dims": list(cfg.hidden_dims),
        "steps": cfg.steps,
        "batch_size": cfg.batch_size,
        "lr": cfg.lr,
    }
    basis = {**basis_of(subject, "test", cfg.seed), **chosen}
    given = {name: basis[name] for name in SETTING if basis[name] is not None}
    setting = ",".join(f"{name}={as_written(value)}" for name, value in given.items())
    records = read_finetuned(subject.folder, partial(print_note, console))
    if known := matching(records.get(setting, {}), basis):
        return known
    record = {**basis, **_compared(subject, classes, cfg, console)}
    update_finetuned(subject.folder, setting, record)
    return record


def _load(path: str, cfg: DictConfig) -> Subject:
    """The run's model, and its images with as many training labels as are asked for."""
    count = None if cfg.labels == "all" else cfg.labels
    try:
        return load_trained(path, cfg, {"labels": count, "label_seed": cfg.label_seed})
    except ConfigError as error:
        cause = error.__cause__
        if error.key != "data.labels" or not isinstance(cause, InvalidOption):
            raise
        raise ConfigError("labels", cause.value, cause.rule, cause.advice) from error


def _classes(subject: Subject, cfg: DictConfig) -> int:
    """The number of classes.

    Raises:
        ConfigError: If a classifier can't be learnt, chosen and measured.
    """
    parts = {name: subject.splits[name].images for name in ("train", "validation", "test")}
    train, validation, test = parts.values()
    dataset = Dataset(train, validation, test, None, subject.splits["train"].classes)
    if rule := missing_labels(dataset):
        raise ConfigError("labels", cfg.labels, rule, "Label some images of each class.")
    if (classes := class_count(dataset)) < 2:
        raise ConfigError("labels", cfg.labels, "all images are of one class", "Label some others.")
    for name in ("validation", "test"):
        if not (parts[name].labels >= 0).any():
            rule = f"no {name} image has a label"
            raise ConfigError("run", subject.folder.path, rule, "Label some.")
    return classes


def _compared(subject: Subject, classes: int, cfg: DictConfig, console: Console) -> dict[str, Any]:
    """The numbers of the classifier and of those that it is compared with."""
    splits, codes = subject.splits, _coded(subject.model, subject.splits, cfg.seed)
    numbers = _of_probe(codes["train"], codes["test"])
    config = subject.config.copy()
    config.seed = cfg.seed
    fresh = build_model(config).to(subject.model.device).eval()
    head = _head(_coded(fresh, {"train": splits["train"]}, cfg.seed)["train"], classes, cfg)
    network: nn.Module = EncoderClassifier(fresh, head)
    numbers |= _of_network("from_scratch", network, splits, cfg, console)
    network = _head(codes["train"], classes, cfg)
    if not cfg.freeze:
        network = EncoderClassifier(subject.model, network)
    seen = codes if cfg.freeze else splits
    return numbers | _of_network("trained_encoder", network, seen, cfg, console)


def _coded(model: Model, splits: Mapping[str, Split], seed: int) -> dict[str, Split]:
    """Codes in place of images, once and for all."""
    codes = {}
    for name, split in splits.items():
        with noise.stream(model.device, "codes", seed, name):  # for encoders that draw
            codes[name] = coded(model, split)
    return codes


def _of_probe(train: Split, test: Split) -> dict[str, float | None]:
    """The linear probe's accuracy, from codes."""
    known, new = ([part.cpu().numpy() for part in _matrix(codes)] for codes in (train, test))
    accuracy = accuracy_of(linear_probe(), *known, *new)
    return share_and_error("linear_probe_accuracy", accuracy, len(test))


def _head(train: Split, classes: int, cfg: DictConfig) -> Head:
    """A head for such codes; its weights are the same whatever encoder they come from."""
    with noise.stream(torch.device("cpu"), "head", cfg.seed):
        return Head(_matrix(train)[0], classes, list(cfg.hidden_dims))


def _matrix(codes: Split) -> tuple[Tensor, Tensor]:
    """Codes, ``(N, D)``, and labels, ``(N,)``."""
    batch = codes.batch(torch.arange(len(codes), device=codes.device))
    return batch.x.flatten(1), batch.y


def _of_network(
    name: str, network: nn.Module, splits: Mapping[str, Split], cfg: DictConfig, console: Console
) -> dict[str, Any]:
    """Trains a network, and measures it on the test images."""
    options = SupervisedOptions(cfg.steps, cfg.batch_size, cfg.lr, cfg.seed)
    with progress(name.replace("_", " "), cfg.steps, "steps", console) as after_step:
        chosen = train_on_labels(network, splits, options, after_step)
    scores = {
        f"{name}_accuracy": (score_of(network, splits["test"], cfg.seed), "test"),
        f"{name}_validation_accuracy": (chosen.validation, "validation"),
    }
    numbers: dict[str, Any] = {f"{name}_step": chosen.step, f"{name}_epoch": chosen.epoch}
    for key, (score, part) in scores.items():
        labelled = int((splits[part].images.labels >= 0).sum())
        numbers |= share_and_error(key, score.accuracy, labelled)
    return numbers
