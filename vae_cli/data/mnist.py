"""MNIST and the sets made in its likeness."""

from pathlib import Path
from typing import Literal

from torchvision import datasets

from vae_cli.data.dataset import Dataset, StoredImages
from vae_cli.data.files import Source, data_root, obtain
from vae_cli.data.parts import last_aside
from vae_cli.options import checked

SIZES = (60_000, 10_000)  # images of torchvision's train and test
VALIDATION = 10_000  # the last ones of train


@checked
def load(name: Literal["MNIST", "FashionMNIST", "KMNIST"], root: str | None = None) -> Dataset:
    """28 x 28 grey images of ten classes: 50,000, 10,000 and 10,000.

    Validation is the last 10,000 images of train, as in the papers on VAEs.

    Args:
        name: MNIST (LeCun et al. 1998), FashionMNIST (Xiao et al. 2017, arXiv:1708.07747) or
            KMNIST, cursive Japanese (Clanuwat et al. 2018, arXiv:1812.01718).
        root: Folder of the datasets; None for ``$VAE_CLI_DATA`` or the user's cache.
    """
    kind = getattr(datasets, name)
    files = [file for file, _ in kind.resources]
    source = Source(
        name=name,
        folder=f"{name}/raw",
        files=files,
        needs=[f"{name}/raw/{Path(file).stem}" for file in files],
        url=kind.mirrors[0],
    )

    def read(folder: Path) -> list[StoredImages]:
        parts = [kind(folder, train=train) for train in (True, False)]
        for part, size in zip(parts, SIZES, strict=True):
            if not len(part.data) == len(part.targets) == size:
                raise ValueError(f"{len(part.data)} images, {len(part.targets)} labels, not {size}")
        return [StoredImages(part.data.unsqueeze(1), part.targets) for part in parts]

    train, test = obtain(source, data_root(root), lambda to: kind(to, download=True), read)
    train, validation = last_aside(train, VALIDATION)
    classes = () if name == "MNIST" else kind.classes  # "7 - seven" says nothing more than 7
    return Dataset(train, validation, test, 256, classes)
