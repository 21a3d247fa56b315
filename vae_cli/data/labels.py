"""Which of the training labels are known: a set to learn from with few of them."""

from dataclasses import replace

import torch

from vae_cli import noise
from vae_cli.data.dataset import Dataset
from vae_cli.errors import InvalidOption


def keep_labels(dataset: Dataset, count: int, seed: int) -> Dataset:
    """Forgets all training labels but some, equally many of each class.

    What is left over when the classes don't share ``count`` evenly goes to some of them, one
    more label each. With the same seed, a larger count keeps what a smaller one keeps.

    Args:
        dataset: The images; those without a label are left alone.
        count: Number of training labels to keep.
        seed: Decides which; the same seed, the same labels.

    Raises:
        InvalidOption: If there are not as many, or a class has fewer than its share.
    """
    if rule := missing_labels(dataset):
        remedy = "Label some images of each class."
        raise InvalidOption("labels", count, rule, remedy)
    labels = dataset.train.labels
    candidates = (labels >= 0).nonzero().flatten()
    sizes = labels[candidates].bincount()
    classes = len(sizes)
    if count < classes:
        rule = f"needs one for each of the {classes} classes"
        raise InvalidOption("labels", count, rule, f"Try {{labels}}={classes}.")
    if count > len(candidates):
        rule = f"only {len(candidates)} training images have a label"
        raise InvalidOption("labels", count, rule, "Leave it out, which keeps all.")

    stream = noise.generator("cpu", "labels", seed)
    shares = torch.full((classes,), count // classes)
    shares[torch.randperm(classes, generator=stream)[: count % classes]] += 1
    if len(short := (sizes < shares).nonzero().flatten()):
        number = int(short[0])
        rule = (
            f"class {_name(dataset, number)} has only {sizes[number]} labelled training images, "
            f"but its share is {shares[number]}"
        )
        raise InvalidOption("labels", count, rule, f"Try {{labels}}={classes * sizes.min()}.")

    shuffled = candidates[torch.randperm(len(candidates), generator=stream)]
    by_class = shuffled[labels[shuffled].argsort(stable=True)].split(sizes.tolist())
    kept = torch.cat([c[:share] for c, share in zip(by_class, shares.tolist(), strict=True)])
    known = torch.full_like(labels, -1)
    known[kept] = labels[kept]
    return replace(dataset, train=dataset.train.relabelled(known))


def class_count(dataset: Dataset) -> int:
    """The number of classes: that of the names, or 1 + the largest label, 0 without labels."""
    labels = torch.cat([part.labels for part in dataset.parts.values()])
    return max(1 + int(labels.max()), len(dataset.classes))


def missing_labels(dataset: Dataset) -> str:
    """Why a classifier can't be learnt from the training images, a clause; empty if it can."""
    classes = class_count(dataset)
    if not classes:
        return "the set has no labels"
    # A label may be any number: nothing here is as large as the number of classes.
    there = dataset.train.labels.unique()
    there = there[there >= 0]
    if len(there) == classes:
        return ""
    gaps = (there != torch.arange(len(there))).nonzero().flatten()
    number = int(gaps[0]) if len(gaps) else len(there)
    return f"class {_name(dataset, number)} of {classes} has no labelled training image"


def _name(dataset: Dataset, number: int) -> str:
    return dataset.classes[number] if number < len(dataset.classes) else str(number)
