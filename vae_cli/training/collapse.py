"""Posterior collapse: how it is recognized, and what to try."""

import math
from collections.abc import Mapping

from vae_cli.number import FEW_IMAGES

FEW = 0.1  # of the dimensions of z, fewer than which is called collapse


def collapse_advice(numbers: Mapping[str, float], latent_dim: int, split: str) -> str | None:
    """What to say of a posterior that has collapsed, None where it has not.

    It has where fewer than a tenth of z's dimensions are active; with ten or less, where none is.

    Args:
        numbers: By name, ``active_units``, ``kl`` and perhaps ``images`` among them; without the
            first, or with few images, nobody knows.
        latent_dim: Number of dimensions of z.
        split: Name of the images that were measured.
    """
    active, images = numbers.get(f"{split}/active_units"), numbers.get(f"{split}/images", math.inf)
    if active is None or images < FEW_IMAGES or active >= max(1.0, FEW * latent_dim):
        return None
    kl = numbers.get(f"{split}/kl")
    measured = "" if kl is None else f", KL {kl:.2f} nats"
    return (
        f"posterior collapse: {int(active)} of {latent_dim} dimensions of z are active on the "
        f"{split} images{measured}. Try kl_schedule=linear or a longer warm-up, a smaller weight "
        "(kl_schedule.weight=0.5), a smaller decoder, or more epochs."
    )
