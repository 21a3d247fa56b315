"""Which images a number was measured on."""

import hashlib
from typing import TYPE_CHECKING, Any

import torch

import vae_cli
from vae_cli.data.split import Split
from vae_cli.run.files import sha256_of
from vae_cli.run.settings import plain, treatment_of

if TYPE_CHECKING:
    from vae_cli.run.subject import Subject

HASHED = 1000  # images at most, of a split: decoding all of a folder's would take too long
BATCH = 100  # images read at once


def hash_of_images(split: Split) -> str:
    """SHA-256 of as many images as are soon read, spread over the split, as they are modelled."""
    digest = hashlib.sha256()
    for index in split.spread(HASHED).split(BATCH):
        digest.update(split.batch(index).x.cpu().numpy().tobytes())
    return digest.hexdigest()


def shown_images(split: Split) -> str:
    """SHA-256 of the images that a picture of a split may show, before they are treated."""
    index = split.spread(HASHED)
    digest = hashlib.sha256(f"{len(split)} {tuple(split.images.shape)}".encode())
    for part in index.split(BATCH):
        digest.update(split.grey(part).cpu().numpy().tobytes())
    return digest.hexdigest()


def basis_of(subject: "Subject", split: str, seed: int) -> dict[str, Any]:
    """Everything that all numbers of a split depend on, by name."""
    images = subject.splits[split]
    return {
        **treatment_of(plain(subject.config)),
        "split": split,
        "images": len(images),
        "images_sha256": hash_of_images(images),
        "checkpoint": subject.checkpoint.name,
        "checkpoint_sha256": sha256_of(subject.checkpoint),
        "latent_dim": subject.model.latent_dim,
        "seed": seed,
        "device": subject.model.device.type,
        "versions": {"vae-cli": vae_cli.__version__, "torch": str(torch.__version__)},
    }
