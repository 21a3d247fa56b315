"""Samples of a trained model, one by one, however many."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Size, Tensor
from torch.distributions import Distribution

from vae_cli import noise
from vae_cli.distribution.latent import Latent
from vae_cli.errors import ConfigError
from vae_cli.figure.samples import chosen_pixels, draw_latents
from vae_cli.figure.sheet import Limits, tile
from vae_cli.folders import make_folder, replaced
from vae_cli.model.base import LatentVariableModel, Model
from vae_cli.model.labelled import SemiSupervisedModel
from vae_cli.run.files import check_replaced
from vae_cli.run.pictures import CREATOR, is_picture
from vae_cli.run.subject import Subject

CHUNK = 500  # samples decoded at once
SHOWN = 10  # classes that a message names


def prior_of(model: Model, count: int) -> Distribution:
    """p(z), which so many samples are drawn from.

    Raises:
        ConfigError: If the model has none.
    """
    if not isinstance(model, LatentVariableModel):
        rule = f"needs {LatentVariableModel.description}"
        raise ConfigError("count", count, rule, "Leave it out, for a picture.")
    return model.prior()


def label_of(subject: Subject, name: str) -> int:
    """The number of a class, by its name or its number.

    Raises:
        ConfigError: If there is no such class, or the images of the model do not depend on one.
    """
    model = subject.model
    if not isinstance(model, SemiSupervisedModel):
        rule = f"needs {SemiSupervisedModel.description}, whose images depend on a label"
        raise ConfigError("label", name, rule, "Leave it out, or try a run of model=m2.")
    split = subject.splits[subject.measured]
    names = [split.class_name(number) for number in range(model.classes)]
    numbers = {str(number): number for number in range(model.classes)}
    numbers |= {each: number for number, each in enumerate(names)}
    if name not in numbers:
        known = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
        raise ConfigError("label", name, "is not a class of the run", f"Its classes: {known}.")
    return numbers[name]


@torch.no_grad()
def sample_chunks(
    subject: Subject,
    count: int,
    temperature: float,
    draw: bool,
    seed: int,
    label: int | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """z from the prior and means of p(x|z) or draws from it, so many in all, a few at a time.

    Args:
        subject: Its model has a prior.
        count: How many.
        temperature: As for ``draw_latents``.
        draw: As for ``chosen_pixels``.
        seed: Of the draws: the same seed, the same z whatever the label.
        label: Of all of them, where the model has labels; None for drawn ones.
    """
    model = subject.model
    for number, start in enumerate(range(0, count, CHUNK)):
        size = min(CHUNK, count - start)
        with noise.stream(model.device, "samples", seed, number):
            z = draw_latents(prior_of(model, count), size, temperature, model.latent_dim)
            if label is not None and isinstance(model, SemiSupervisedModel):
                y = torch.tensor(label, device=z.device)
                z = Latent.with_label(model.latent(z).z, y, model.classes).event
            pixels = chosen_pixels(model.decode(z), draw)
        yield z.cpu(), pixels.cpu()


def check_samples(path: Path, count: int) -> None:
    """Checks that samples replace nothing but earlier ones.

    Args:
        path: Of an .npz, or of a folder of images.
        count: How many are to be written.
    """
    if path.suffix == ".npz":
        check_replaced(
            path,
            lambda p: is_picture(p, "xz") or is_picture(p, "xzy"),
            "an earlier file of samples",
        )
        return
    names = {f"{number:06}.png" for number in range(count)}
    for file in sorted(path.iterdir()) if path.is_dir() else ():
        if file.name in names:
            check_replaced(file, lambda p: is_picture(p, ()), "an earlier sample")


def write_images(
    chunks: Iterator[tuple[Tensor, Tensor]], folder: Path, limits: Limits
) -> Iterator[int]:
    """Writes samples as ``000000.png`` and so on; yields how many each chunk had.

    Args:
        chunks: z and x of some samples.
        folder: Which is made.
        limits: The values that are black and white.

    Raises:
        OSError: If one cannot be written; those before it are then removed.
    """
    make_folder(folder)
    written: list[Path] = []
    about = PngInfo()
    about.add_text("Creator", CREATOR)
    try:
        for _, x in chunks:
            for image in x:
                path = folder / f"{len(written):06}.png"
                with replaced(path) as file:
                    Image.fromarray(tile(image.unsqueeze(0), 1, limits)).save(
                        file, "PNG", pnginfo=about
                    )
                written.append(path)
            yield len(x)
    except OSError:
        for path in written:
            path.unlink(missing_ok=True)
        with suppress(OSError):  # other files are there
            folder.rmdir()
        raise


def write_sample_arrays(
    chunks: Iterator[tuple[Tensor, Tensor]], count: int, latent_dim: int, shape: Size, path: Path
) -> Iterator[int]:
    """Writes samples as arrays ``z``, ``(N, size)``, and ``x``, ``(N, *shape)``, of an .npz.

    Where a model has a label one-hot behind its ``latent_dim`` dimensions, z has it, too, and
    ``y``, ``(N,)``, is the number of the class.
    Only a chunk of x is ever in memory. Yields how many each chunk had.
    """
    latents = []
    with replaced(path) as file, ZipFile(file, "w") as archive:
        with archive.open("x.npy", "w", force_zip64=True) as member:
            _write_header(member, (count, *shape))
            for z, x in chunks:
                latents.append(z)
                member.write(x.float().numpy().tobytes())
                yield len(x)
        z = torch.cat(latents).float()
        arrays = {"z": z}
        if z.shape[1] > latent_dim:
            arrays["y"] = z[:, latent_dim:].argmax(1)
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array.numpy())


def _write_header(file: object, shape: tuple[int, ...]) -> None:
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)  # type: ignore[arg-type]
