"""Codes of images for TensorBoard's PROJECTOR."""

from pathlib import Path

import torch
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from torch import Tensor
from torch.nn.functional import pad

from vae_cli import noise
from vae_cli.console import printable
from vae_cli.data.split import Split
from vae_cli.figure.sheet import to_grey
from vae_cli.folders import make_folder, replaced
from vae_cli.model.base import Model
from vae_cli.model.codes import codes_of

IMAGES = 1000
AXES = 3  # of codes of fewer dimensions nothing is shown: zeros fill them up
SIDE = 2048  # pixels of the sheet of thumbnails, at most: one texture of a graphics card


@torch.no_grad()
def write_projector(folder: Path, model: Model, split: Split) -> None:
    """Writes E_q[z] of some images, their labels, and thumbnails of what was modelled.

    Args:
        folder: Of the run's events; the files go into ``projector`` within.
        model: The model.
        split: Which some images are taken from, spread over it.
    """
    files = folder / "projector"
    make_folder(files)
    noise.seed_draws(model.device, "dashboard", "projector")
    index = split.spread(IMAGES)
    codes = codes_of(model, split, index)
    if model.latent_dim < AXES:
        codes = pad(codes, (0, AXES - model.latent_dim))
    lines = ["\t".join(f"{value:.4g}" for value in code) for code in codes.tolist()]
    _write(files / "codes.tsv", "\n".join(lines) + "\n")
    batch = split.batch(index)
    labels = [printable(split.class_name(y)) for y in batch.y.tolist()]  # a tab ends a column
    _write(files / "labels.tsv", "\n".join(labels) + "\n")
    thumbnails = sprite(to_grey(batch.x.float(), split.treatment.limits).cpu())
    with replaced(files / "images.png") as file:
        thumbnails.save(file, "PNG")

    config = ProjectorConfig()
    embedding = config.embeddings.add()
    embedding.tensor_name = f"means of q(z|x) of {split.name} images"
    embedding.tensor_path = "projector/codes.tsv"
    embedding.metadata_path = "projector/labels.tsv"
    embedding.sprite.image_path = "projector/images.png"
    columns = _columns(len(codes))
    embedding.sprite.single_image_dim.extend([thumbnails.width // columns] * 2)
    _write(folder / "projector_config.pbtxt", text_format.MessageToString(config))


def _write(path: Path, text: str) -> None:
    with replaced(path) as file:
        file.write(text.encode("utf-8"))


def sprite(images: Tensor) -> Image.Image:
    """Images row by row in a square sheet, each made square, without gaps.

    Args:
        images: Shape ``(N, C, H, W)``, grey levels from 0 to 1.
    """
    columns = _columns(len(images))
    side = max(1, min(max(images.shape[-2:]), SIDE // columns))
    bytes_ = images.mul(255).round().byte()
    if images.shape[1] != 3:
        bytes_ = bytes_.float().mean(1, keepdim=True).byte()
    sheet = Image.new("RGB" if images.shape[1] == 3 else "L", (columns * side,) * 2)
    for number, image in enumerate(bytes_.permute(0, 2, 3, 1).numpy()):
        tile = Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image)
        row, column = divmod(number, columns)
        sheet.paste(tile.resize((side, side)), (column * side, row * side))
    return sheet


def _columns(count: int) -> int:
    """Of a square sheet: the least whose square holds so many."""
    return next(n for n in range(1, count + 1) if n * n >= count)
