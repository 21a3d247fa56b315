"""Which images a number was measured on."""

import hashlib

from vae_cli.data.split import Split

HASHED = 1000  # images at most, of a split: decoding all of a folder's would take too long
BATCH = 100  # images read at once


def hash_of_images(split: Split) -> str:
    """SHA-256 of as many images as are soon read, spread over the split, as they are modelled."""
    digest = hashlib.sha256()
    for index in split.spread(HASHED).split(BATCH):
        digest.update(split.batch(index).x.cpu().numpy().tobytes())
    return digest.hexdigest()
