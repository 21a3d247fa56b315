"""A trained model and its images, from its run's folder alone."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

import vae_cli
from vae_cli.config.build import build_splits
from vae_cli.data.files import reading_only
from vae_cli.data.split import Split
from vae_cli.errors import ConfigError
from vae_cli.model.base import Model
from vae_cli.model.labelled import fit_classifier
from vae_cli.run.checkpoint import load_model
from vae_cli.run.folder import RunFolder
from vae_cli.run.images import hash_of_images
from vae_cli.run.settings import plain, treatment_of


@dataclass(frozen=True)
class Subject:
    """A trained model and its images.

    Attributes:
        folder: Of its run.
        checkpoint: Which of the folder's.
        model: On the device on which it is measured, as are the images.
        config: Of its run, every value concrete.
        splits: By name.
    """

    folder: RunFolder
    checkpoint: Path
    model: Model
    config: DictConfig
    splits: Mapping[str, Split]


def load_subject(path: str, cfg: DictConfig) -> Subject:
    """Rebuilds a run's model and images.

    Args:
        path: The run's folder.
        cfg: Says ``checkpoint``, ``device``, ``data`` and ``trust``, as ``eval.yaml`` has them.

    Raises:
        VaeCliError: If that can't be done.
    """
    subject = load_trained(path, cfg, {})
    fit_classifier(subject.model, subject.splits["train"])
    return subject


def load_trained(path: str, cfg: DictConfig, data: Mapping[str, Any]) -> Subject:
    """The same without what is fitted once training has ended.

    Args:
        path, cfg: As for ``load_subject``.
        data: What to put in place of the run's own options of the data.

    Raises:
        VaeCliError: If that can't be done.
    """
    device = _device(cfg.device)
    folder = RunFolder.existing(path, key="run")
    checkpoint = folder.best if cfg.checkpoint == "best" else folder.last
    if not checkpoint.is_file():
        rule = f"it has no {checkpoint.name}"
        others = [c.stem for c in (folder.best, folder.last) if c.is_file()]
        remedy = f"Try checkpoint={others[0]}." if others else f"Try vae-train resume={path}."
        raise ConfigError("run", path, rule, remedy)
    model, config = load_model(checkpoint, cfg.trust)
    for name, value in cfg.data.items():
        if value is not None:
            if name not in config.data:
                rule = f"the run's data have no {name}"
                raise ConfigError(f"data.{name}", value, rule, "Leave it out.")
            config.data[name] = str(value)
    config.data.update(data)
    foreign = cfg.data.root is None and config.data.get("root") is not None and not cfg.trust
    with reading_only(foreign):
        splits = {name: split.to(device) for name, split in build_splits(config).items()}
    return Subject(folder, checkpoint, model.to(device).eval(), config, splits)


def basis_of(subject: Subject, split: str, seed: int) -> dict[str, Any]:
    """Everything that all numbers of a split depend on, by name."""
    images = subject.splits[split]
    return {
        **treatment_of(plain(subject.config)),
        "split": split,
        "images": len(images),
        "images_sha256": hash_of_images(images),
        "checkpoint": subject.checkpoint.name,
        "checkpoint_sha256": hashlib.sha256(subject.checkpoint.read_bytes()).hexdigest(),
        "latent_dim": subject.model.latent_dim,
        "seed": seed,
        "device": subject.model.device.type,
        "versions": {"vae-cli": vae_cli.__version__, "torch": str(torch.__version__)},
    }


def _device(wanted: str) -> torch.device:
    has_gpu = torch.cuda.is_available()
    if wanted == "gpu" and not has_gpu:
        raise ConfigError("device", wanted, "torch sees no GPU here", "Try device=cpu.")
    return torch.device("cuda" if has_gpu and wanted != "cpu" else "cpu")
