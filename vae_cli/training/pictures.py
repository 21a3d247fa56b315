"""Figures as TensorBoard takes them."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from vae_cli.escape import markdown_text
from vae_cli.figure.base import pixels
from vae_cli.glyphs import as_named

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas
    from matplotlib.text import Text
    from tensorboard.compat.proto.summary_pb2 import Summary

DPI = 100
TAG = "pictures/"  # before the name of a figure: after the overview, in the order of names
WIDTH = 400  # pixels to which a sheet of images is enlarged, at least


def picture(name: str, canvas: "Canvas") -> "Summary":
    """A figure as an event.

    One that is a sheet of images is given as that sheet, its pixels enlarged by a whole number,
    and what stands around it as the description: rendering would take ten times as long.
    """
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata

    image = _sheet(canvas)
    image = pixels(canvas, DPI) if image is None else image
    height, width, channels = image.shape
    is_grey = bool((image == image[..., :1]).all())  # then it takes less than half the bytes
    file = io.BytesIO()
    Image.fromarray(image[..., 0] if is_grey else image).save(file, "PNG")
    content = Summary.Image(
        height=height, width=width, colorspace=1 if is_grey else channels,
        encoded_image_string=file.getvalue(),
    )  # fmt: skip
    plugin = SummaryMetadata.PluginData(plugin_name="images")  # unnamed, its reader complains
    metadata = SummaryMetadata(summary_description=_description(canvas), plugin_data=plugin)
    return Summary(value=[Summary.Value(tag=TAG + name, image=content, metadata=metadata)])


def _sheet(canvas: "Canvas") -> np.ndarray | None:
    """The pixels of a figure that holds one image and nothing else, ``(H, W, 3)``, uint8."""
    drawn = [artist for axes in canvas.axes for artist in (*axes.images, *axes.collections)]
    pixels = np.asarray(drawn[0].get_array()) if len(drawn) == 1 else np.empty(0)
    if pixels.dtype != np.uint8 or pixels.ndim != 3:
        return None
    factor = -(-WIDTH // pixels.shape[1])
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)


def _description(canvas: "Canvas") -> str:
    """The titles, and the names of the rows from the top and of the columns from the left."""
    lines = [canvas.get_suptitle(), *(axes.get_title() for axes in canvas.axes)]
    for axes in canvas.axes:
        if axes.images:  # elsewhere they are numbers on a scale
            lines += _names("Rows", axes.get_yticklabels())
            lines += _names("Columns", axes.get_xticklabels())
    return ". ".join(filter(None, lines))


def _names(of: str, labels: Sequence["Text"]) -> list[str]:
    names = [markdown_text(as_named(label.get_text())) for label in labels]
    return [f"{of}: {', '.join(names)}"] if any(names) else []
