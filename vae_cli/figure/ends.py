"""Images that the user picks: by their position in a split, or as files."""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from vae_cli.data.batch import Batch
from vae_cli.data.dataset import StoredImages
from vae_cli.data.opened import open_image
from vae_cli.data.picture import MODES, Look, Picture, decode
from vae_cli.data.split import Split
from vae_cli.errors import shortened
from vae_cli.example import describe_examples, example_kind
from vae_cli.figure.base import Inapplicable
from vae_cli.glyphs import drawable

BYTES = 255  # the whitest level of a file
LONGEST = 20  # characters of a file's name in a picture


class Picked(NamedTuple):
    """An image that the user picks.

    Attributes:
        name: To be drawn: its position, or the name of its file.
        original: As stored, ``(1, *shape)``.
        batch: As modelled.
    """

    name: str
    original: Tensor
    batch: Batch


def pick(split: Split, option: str, value: int | str) -> Picked:
    """An image by its position in a split, from the end if negative, or from a file.

    Args:
        split: Whose positions count, and whose treatment a file's pixels get.
        option: Of the figure, for a message.
        value: Which image.

    Raises:
        Inapplicable: If there is no such image.
    """
    if isinstance(value, str):
        split, position, name = _of_file(split, option, value), 0, Path(value).name
    else:
        position, name = value, str(value)
    if not -len(split) <= position < len(split):
        rule = f"there are {len(split)} {split.name} images"
        remedy = f"Try 0 to {len(split) - 1}, or the path of an image file."
        raise Inapplicable(rule, option, value, remedy)
    index = torch.tensor([position % len(split)], device=split.device)
    (shown,) = drawable([shortened(name, LONGEST)])
    return Picked(shown, split.grey(index), split.batch(index))


def _of_file(split: Split, option: str, path: str) -> Split:
    """A split of one image, read from a file as those of a folder of images are."""
    treatment, shape = split.treatment, split.images.shape
    if example_kind(shape) != "image":
        rule = f"a file holds an image, and the data are {describe_examples(shape)}"
        raise Inapplicable(rule, option, path, "Name a position in the split.")
    if shape[0] not in MODES:
        rule = f"a file has one channel or three, but the images of the run have {shape[0]}"
        raise Inapplicable(rule, option, path, "Name a position in the split.")
    try:
        with open_image(Path(path).expanduser()) as image:
            image.load()
    except (ValueError, RuntimeError) as error:
        remedy = "Name an image file, or a position in the split."
        raise Inapplicable(f"can't be read as an image ({error})", option, path, remedy) from error
    levels = decode(path, Picture(Path(path).expanduser()), shape, Look("white", "crop")).unsqueeze(
        0
    )
    if treatment.levels is None:
        low, high = treatment.limits
        pixels = low + (high - low) * levels.float() / BYTES
    else:
        pixels = (levels.float() * (treatment.levels - 1) / BYTES).round().byte()
    return Split("given", StoredImages(pixels), treatment).to(split.device)
