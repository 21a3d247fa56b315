"""One picture of a file, as the person who made it sees it: upright, and on a background."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Size, Tensor

from vae_cli.data.opened import open_image
from vae_cli.errors import InvalidOption

MODES = {1: "L", 3: "RGB"}  # what PIL calls images of that many channels
GREY = ("1", "L", "LA", "La")
DEEP = ("I", "F")  # modes of more than 256 levels begin so; PIL would clip them
Fit = Literal["crop", "pad", "stretch"]
BILINEAR = Image.Resampling.BILINEAR
ORIENTATION = 0x0112  # the EXIF tag
TURNED = (5, 6, 7, 8)  # its values where height and width change places
STACKS = (".tif", ".tiff")

# A broken EXIF block does no harm: the picture then counts as upright. Pictures are decoded by
# several threads, which share the filters.
warnings.filterwarnings("ignore", "Corrupt EXIF data", UserWarning)


class Picture(NamedTuple):
    """A file, or a page of one."""

    path: Path
    page: int | None = None


class Look(NamedTuple):
    """How pictures are brought to a common shape.

    Attributes:
        background: Colour behind transparent pixels and of margins, a name or ``#rrggbb``.
        fit: What becomes of a picture of another form: what lies beyond its middle is cut off, it
            gets margins, or it is stretched.
    """

    background: str
    fit: Fit


class Header(NamedTuple):
    """What a picture is, without its pixels.

    Attributes:
        size: Height and width of the upright picture.
        pages: Pages of equal size in a TIFF file, else 1.
        frames: Frames of an animation, or pages of different sizes.
    """

    size: tuple[int, int]
    is_grey: bool
    is_transparent: bool
    pages: int
    frames: int


def read_header(root: str, path: Path) -> Header:
    """Reads what a picture is, without decoding it.

    Args:
        root: The folder as the user calls it.
        path: The file.

    Raises:
        InvalidOption: If it is not a picture that can be read.
    """
    with opened(root, Picture(path)) as image:
        size, mode = (image.height, image.width), image.mode
        if image.getexif().get(ORIENTATION) in TURNED:
            size = size[::-1]
        is_transparent = image.has_transparency_data
        frames = getattr(image, "n_frames", 1)
        pages = frames if path.suffix.lower() in STACKS and _are_alike(image, frames) else 1
    return Header(size, mode in GREY, is_transparent, pages, frames if pages == 1 else 1)


def decode(root: str, picture: Picture, shape: Size, look: Look) -> Tensor:
    """The pixels of a picture, upright, brought to a shape.

    Args:
        root: The folder as the user calls it.
        picture: Which.
        shape: ``(C, H, W)``, one channel or three.
        look: How it is brought to that shape.

    Returns:
        Shape ``(C, H, W)``, uint8.
    """
    channels, height, width = shape
    with opened(root, picture) as image:
        upright = ImageOps.exif_transpose(image)
        if upright.has_transparency_data:
            pixels = upright.convert("RGBA")
            upright = Image.new("RGBA", pixels.size, look.background)
            upright.alpha_composite(pixels)
        converted = upright.convert(MODES[channels])
        fitted = _fitted(converted, (width, height), look)
    array = np.array(fitted).reshape(height, width, channels)
    return torch.from_numpy(array).permute(2, 0, 1)


def _fitted(image: Image.Image, size: tuple[int, int], look: Look) -> Image.Image:
    """An image of that width and height."""
    if look.fit == "crop":
        return ImageOps.fit(image, size, BILINEAR)
    if look.fit == "pad":
        return ImageOps.pad(image, size, BILINEAR, look.background)
    return image.resize(size, BILINEAR)


@contextmanager
def opened(root: str, picture: Picture) -> Iterator[Image.Image]:
    """A picture, and one line for the user if it proves broken while it is used."""
    try:
        with open_image(picture.path) as image:
            if picture.page is not None:
                image.seek(picture.page)
            if image.mode.startswith(DEEP):
                rule = f"holds {picture.path} with more than 256 grey levels"
                raise InvalidOption("root", root, rule, "Store such images in an array.")
            yield image
    except ValueError as error:
        rule = f"holds {picture.path}, which can't be read as an image ({error})"
        raise InvalidOption("root", root, rule, "Repair or remove it.") from error


def _are_alike(image: Image.Image, frames: int) -> bool:
    """Whether all pages have one size: then each is a picture, else they are previews."""
    size = image.size
    with suppress(EOFError):
        for page in range(1, frames):
            image.seek(page)
            if image.size != size:
                return False
        return True
    return False
