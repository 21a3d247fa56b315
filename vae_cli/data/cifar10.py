"""CIFAR-10: small colour photographs."""

from pathlib import Path

import torch
from torchvision.datasets import CIFAR10

from vae_cli.data.dataset import Dataset, StoredImages
from vae_cli.data.files import Source, data_root, obtain
from vae_cli.data.parts import last_aside
from vae_cli.options import checked

VALIDATION = 5_000  # the last ones of train


@checked
def load(root: str | None = None) -> Dataset:
    """32 x 32 photographs of ten classes in three channels: 45,000, 5,000 and 10,000.

    Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images. Validation is the
    last 5,000 images of train.

    Args:
        root: Folder of the datasets; None for ``$VAE_CLI_DATA`` or the user's cache.
    """
    batches = [name for name, _ in CIFAR10.train_list + CIFAR10.test_list]
    source = Source(
        name="CIFAR-10",
        folder=".",
        files=[CIFAR10.filename],
        needs=[f"{CIFAR10.base_folder}/{name}" for name in (*batches, CIFAR10.meta["filename"])],
        url=CIFAR10.url,
    )

    def read(folder: Path) -> list[StoredImages]:
        # The constructor checks the checksum of every file before it unpickles any.
        parts = [CIFAR10(folder, train=train) for train in (True, False)]
        return [
            StoredImages(
                torch.from_numpy(part.data).permute(0, 3, 1, 2), torch.tensor(part.targets)
            )
            for part in parts
        ]

    train, test = obtain(source, data_root(root), lambda to: CIFAR10(to, download=True), read)
    train, validation = last_aside(train, VALIDATION)
    return Dataset(train, validation, test, levels=256)
