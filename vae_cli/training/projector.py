"""Codes of images for TensorBoard's PROJECTOR."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from google.protobuf import text_format
from PIL import Image, ImageColor, ImageOps
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from torch import Tensor
from torch.nn.functional import pad

from vae_cli import noise
from vae_cli.console import printable
from vae_cli.data.split import Split
from vae_cli.figure.ink import PALETTE
from vae_cli.figure.sheet import as_images, to_grey
from vae_cli.folders import make_folder, replaced
from vae_cli.model.base import Model
from vae_cli.model.codes import codes_of

IMAGES = 1000
AXES = 3  # of codes of fewer dimensions nothing is shown: zeros fill them up
SIDE = 2048  # pixels of the sheet of thumbnails, at most: one texture of a graphics card
FRAME = 6  # th part of a coloured thumbnail's side: the width of its frame
ENDS = ("XLeft", "XRight", "YUp", "YDown")  # of axes between groups; here there are no groups
PLANE = "plane of z"  # the bookmark of a code of at most two dimensions


@torch.no_grad()
def write_projector(folder: Path, model: Model, split: Split) -> None:
    """Writes E_q[z] of some images, their labels, and thumbnails of what was modelled.

    TensorBoard opens the tab without colours, and all codes in three dimensions: no file changes
    that. So the thumbnails have the colours of their labels, and a code of at most two
    dimensions has a bookmark that shows it in its plane.

    Args:
        folder: Of the run's events; the files go into ``projector`` within.
        model: The model.
        split: Which some images are taken from, spread over it.
    """
    files = folder / "projector"
    make_folder(files)
    index = split.spread(IMAGES)
    with noise.stream(model.device, "dashboard", "projector"):
        codes = codes_of(model, split, index)
    is_plane = model.latent_dim < AXES
    if is_plane:
        codes = pad(codes, (0, AXES - model.latent_dim))
        _write(files / "bookmarks.json", json.dumps([_bookmark(codes.tolist())]))
    lines = ["\t".join(f"{value:.4g}" for value in code) for code in codes.tolist()]
    _write(files / "codes.tsv", "\n".join(lines) + "\n")
    batch = split.batch(index)
    labels = [printable(split.class_name(y)) for y in batch.y.tolist()]  # a tab ends a column
    _write(files / "labels.tsv", "\n".join(labels) + "\n")
    images = to_grey(as_images(batch.x).float(), split.treatment.limits).cpu()
    colors = [PALETTE[y % len(PALETTE)] if y >= 0 else "black" for y in batch.y.tolist()]
    thumbnails = sprite(images, colors if max(batch.y.tolist()) >= 0 else None)
    with replaced(files / "images.png") as file:
        thumbnails.save(file, "PNG")

    config = ProjectorConfig()
    embedding = config.embeddings.add()
    embedding.tensor_name = f"means of q(z|x) of {split.name} images"
    embedding.tensor_path = "projector/codes.tsv"
    embedding.metadata_path = "projector/labels.tsv"
    embedding.sprite.image_path = "projector/images.png"
    if is_plane:
        embedding.bookmarks_path = "projector/bookmarks.json"
    columns = _columns(len(codes))
    embedding.sprite.single_image_dim.extend([thumbnails.width // columns] * 2)
    _write(folder / "projector_config.pbtxt", text_format.MessageToString(config))


def _write(path: Path, text: str) -> None:
    with replaced(path) as file:
        file.write(text.encode("utf-8"))


def _bookmark(codes: list[list[float]]) -> dict[str, Any]:
    """A state of the tab, as it saves them itself: z₁ and z₂ seen from above."""
    return {
        "label": PLANE,
        "projections": [{f"pca-{d}": value for d, value in enumerate(code)} for code in codes],
        "dataSetDimensions": [len(codes), AXES],
        "selectedProjection": "pca",
        "pcaComponentDimensions": [0, 1],
        "cameraDef": {
            "orthographic": True, "position": [0, 0, 4], "target": [0, 0, 0], "zoom": 1,
        },
        "selectedColorOptionName": "No color map",
        "selectedLabelOption": "label",
        "selectedPoints": [],
        "tSNEIteration": 0, "tSNEPerplexity": 30, "tSNELearningRate": 10, "tSNEis3d": True,
        "umapIs3d": True, "umapNeighbors": 15, "umapMinDist": 0.1,
        "customSelectedSearchByMetadataOption": "label",
        **{f"custom{end}Text": "" for end in ENDS}, **{f"custom{end}Regex": False for end in ENDS},
    }  # fmt: skip


def sprite(images: Tensor, colors: Sequence[str] | None = None) -> Image.Image:
    """Images row by row in a square sheet, each made square, without gaps.

    Args:
        images: Shape ``(N, C, H, W)``, grey levels from 0 to 1.
        colors: Of each; None for none. Black becomes the colour in a grey image; a coloured image
            has a frame of it.
    """
    columns = _columns(len(images))
    is_framed = colors is not None and images.shape[1] == 3
    whole = max(1, min(max(images.shape[-2:]), SIDE // columns))
    frame = max(1, whole // FRAME) if is_framed and whole > 2 else 0
    images = images if images.shape[1] == 3 else images.mean(1, keepdim=True)
    if colors is not None and not is_framed:
        ink = torch.tensor([ImageColor.getrgb(color)[:3] for color in colors]) / 255
        images = torch.lerp(ink[:, :, None, None], torch.ones(3, 1, 1), images)
    mode = "RGB" if images.shape[1] == 3 else "L"
    sheet = Image.new(mode, (columns * whole,) * 2)
    for number, image in enumerate(images.mul(255).round().byte().permute(0, 2, 3, 1).numpy()):
        tile = Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image)
        tile = ImageOps.expand(
            tile.resize((whole - 2 * frame,) * 2), frame, colors[number] if colors else 0
        )
        row, column = divmod(number, columns)
        sheet.paste(tile, (column * whole, row * whole))
    return sheet


def _columns(count: int) -> int:
    """Of a square sheet: the least whose square holds so many."""
    return next(n for n in range(1, count + 1) if n * n >= count)
