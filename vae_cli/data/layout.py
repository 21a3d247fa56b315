"""Which axis of an array of images is which."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from vae_cli.errors import InvalidOption

Array = npt.NDArray[Any]
# N images, C channels, H rows, W columns, in the order of the axes.
Layout = Literal["NHW", "HWN", "NCHW", "NHWC", "HWCN"]

COLOURS = (1, 3, 4)  # usual numbers of channels
SMALL = 8  # pixels: a side below that is hardly that of a photo
MANY = 10  # times as many images as rows tell that the last axis counts images


def infer_layout(
    path: str, name: str, array: Array, shape: Sequence[int] | None, labels: int | None
) -> Layout:
    """Finds out which axis of an array is which.

    The shape of an image and the number of labels decide where they are known. Otherwise the axis
    of channels is 1, 3 or 4 long, or else shorter than height and width. Of several possible
    orders the one of square images counts.

    Args:
        path: The file as the user calls it.
        name: Of the array.
        array: Three or four axes.
        shape: Of an image, ``[C, H, W]``, if the user states it.
        labels: The number of labels, if there are some.

    Raises:
        InvalidOption: If that leaves none, or several.
    """
    layouts = [layout for layout in get_args(Layout) if len(layout) == array.ndim]
    sizes = {layout: dict(zip(layout, array.shape, strict=True)) for layout in layouts}
    if shape is not None:
        layouts = [each for each in layouts if image_shape(sizes[each]) == tuple(shape)]
        if not layouts:
            rule = f"is not the shape of an image in {path}, whose {name} is {array.shape}"
            raise InvalidOption("shape", list(shape), rule, "Leave it out.")
    layouts = [each for each in layouts if sizes[each]["N"] == labels] or layouts
    if len(layouts) > 1 and shape is None:
        layouts = _plausible(layouts, sizes) or layouts
    if len(layouts) > 1 and not _are_equal(array, layouts):
        readings = " or ".join(f"{each} ({in_words(sizes[each])})" for each in layouts)
        rule = f"holds {name} of shape {array.shape}, which can be read as {readings}"
        raise InvalidOption("path", path, rule, f"Try {{layout}}={layouts[0]}.")
    chosen: Layout = layouts[0]
    return chosen


def to_channels_first(array: Array, layout: Layout) -> Array:
    """The same images as ``(N, C, H, W)``."""
    if "C" not in layout:
        array, order = array[..., None], layout + "C"
    else:
        order = str(layout)
    return array.transpose([order.index(axis) for axis in "NCHW"])


def image_shape(sizes: Mapping[str, int]) -> tuple[int, int, int]:
    """Channels, height and width."""
    return sizes.get("C", 1), sizes["H"], sizes["W"]


def in_words(sizes: Mapping[str, int]) -> str:
    """A reading for a message: ``120 images of 2x16x16``."""
    return f"{sizes['N']} images of {'x'.join(map(str, image_shape(sizes)))}"


def _plausible(
    layouts: Sequence[Layout], sizes: Mapping[Layout, Mapping[str, int]]
) -> list[Layout]:
    if "HWN" in layouts:
        return [each for each in layouts if _is_plausible_grey(each, sizes[each])]
    square = [each for each in layouts if sizes[each]["H"] == sizes[each]["W"]]
    upright = [each for each in layouts if each != "HWCN" or each in square]
    usual = [each for each in upright if sizes[each]["C"] in COLOURS]
    if len(usual) > 1:
        return [each for each in usual if each in square] or usual
    few = [each for each in upright if sizes[each]["C"] < min(sizes[each]["H"], sizes[each]["W"])]
    return usual or few


def _is_plausible_grey(layout: Layout, sizes: Mapping[str, int]) -> bool:
    n, height, width = sizes["N"], sizes["H"], sizes["W"]
    if layout == "HWN":
        return height == width and n != width and n not in COLOURS
    is_photo = width in COLOURS and min(n, height) >= SMALL  # its colours come last
    counts_last = n == height and width >= MANY * n  # square images, which the last axis counts
    return not is_photo and not counts_last


def _are_equal(array: Array, layouts: Sequence[Layout]) -> bool:
    first, *others = (to_channels_first(array, each) for each in layouts)
    return all(first.shape == other.shape and np.shares_memory(first, other)
               and first.strides == other.strides for other in others)  # fmt: skip
