"""Small files in the form in which the datasets are published, for tests to serve and to place."""

import gzip
import hashlib
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torchvision.datasets
from PIL import Image
from scipy.io import savemat

from vae_cli.data import binarized_mnist, cifar10, frey_faces, mnist, omniglot
from vae_cli.data.dataset import Dataset

GENERATOR = np.random.default_rng(0)


@dataclass(frozen=True)
class Published:
    """A dataset that is fetched.

    Attributes:
        write: Writes the published files into a folder, and makes the loader accept them.
        point: Makes the loader fetch from an address, which ends with a slash.
        load: The loader, called with a root.
        folder: Where the files belong below the root.
        shape, levels, sizes, classes: What the loader must give; no classes: no labels.
    """

    write: Callable[[Path, pytest.MonkeyPatch], None]
    point: Callable[[str, pytest.MonkeyPatch], None]
    load: Callable[[str], Dataset]
    folder: str
    shape: tuple[int, int, int]
    levels: int
    sizes: tuple[int, int, int]
    classes: int = 0


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    return header + array.astype(np.uint8).tobytes()


def mnist_like(name: str) -> Published:
    kind = getattr(torchvision.datasets, name)

    def write(folder: Path, patch: pytest.MonkeyPatch) -> None:
        resources = []
        for part, count in (("train", 60), ("t10k", 20)):
            images = GENERATOR.integers(0, 256, (count, 28, 28))
            for file, array in (("images-idx3", images), ("labels-idx1", np.arange(count) % 10)):
                path = folder / f"{part}-{file}-ubyte.gz"
                path.write_bytes(gzip.compress(idx(array)))
                resources.append((path.name, md5(path)))
        patch.setattr(kind, "resources", resources)
        patch.setattr(mnist, "SIZES", (60, 20))
        patch.setattr(mnist, "VALIDATION", 10)

    return Published(
        write,
        lambda url, patch: patch.setattr(kind, "mirrors", [url]),
        lambda root: mnist.load(name, root),
        f"{name}/raw",
        (1, 28, 28),
        256,
        (50, 10, 20),
        classes=10,
    )


def write_cifar10(folder: Path, patch: pytest.MonkeyPatch) -> None:
    kind = torchvision.datasets.CIFAR10
    batches = folder / kind.base_folder
    batches.mkdir()
    for name, _ in kind.train_list + kind.test_list:
        pixels = GENERATOR.integers(0, 256, (12, 3 * 32 * 32), np.uint8)
        (batches / name).write_bytes(pickle.dumps({"data": pixels, "labels": [0, 9] * 6}))
    (batches / kind.meta["filename"]).write_bytes(pickle.dumps({"label_names": list("abcdefghij")}))
    for names in ("train_list", "test_list"):
        known = [[name, md5(batches / name)] for name, _ in getattr(kind, names)]
        patch.setattr(kind, names, known)
    patch.setattr(kind, "meta", kind.meta | {"md5": md5(batches / kind.meta["filename"])})
    with tarfile.open(folder / kind.filename, "w:gz") as tar:
        tar.add(batches, kind.base_folder)
    patch.setattr(kind, "tgz_md5", md5(folder / kind.filename))
    patch.setattr(cifar10, "VALIDATION", 20)


def write_binarized_mnist(folder: Path, patch: pytest.MonkeyPatch) -> None:
    sizes = {"train": 50, "valid": 10, "test": 20}
    for part, size in sizes.items():
        bits = GENERATOR.integers(0, 2, (size, 784))
        text = "".join(" ".join(map(str, row)) + "\n" for row in bits.tolist())
        path = folder / f"binarized_mnist_{part}.amat"
        path.write_text(text)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        patch.setitem(binarized_mnist.SHA256, part, digest)
    patch.setattr(binarized_mnist, "SIZES", sizes)


def write_omniglot(folder: Path, patch: pytest.MonkeyPatch) -> None:
    checksums = {}
    for part, alphabets in (("images_background", "BA"), ("images_evaluation", "C")):
        for alphabet in alphabets:
            for character in range(5):
                below = folder / part / alphabet / f"character{character:02}"
                below.mkdir(parents=True)
                for drawing in range(2):
                    ink = GENERATOR.random((105, 105)) < 0.3
                    ink[:20, :20] = True
                    Image.fromarray(~ink).save(below / f"{drawing}.png")
        with zipfile.ZipFile(folder / f"{part}.zip", "w") as archive:
            for path in sorted((folder / part).rglob("*.png")):
                archive.write(path, path.relative_to(folder))
        checksums[part] = md5(folder / f"{part}.zip")
    patch.setattr(torchvision.datasets.Omniglot, "zips_md5", checksums)
    patch.setattr(omniglot, "SIZES", {"images_background": 20, "images_evaluation": 10})


def write_frey_faces(folder: Path, patch: pytest.MonkeyPatch) -> None:
    savemat(folder / frey_faces.FILE, {"ff": GENERATOR.integers(0, 256, (560, 1965), np.uint8)})


PUBLISHED = {
    "MNIST": mnist_like("MNIST"),
    "FashionMNIST": mnist_like("FashionMNIST"),
    "KMNIST": mnist_like("KMNIST"),
    "CIFAR-10": Published(
        write_cifar10,
        lambda url, patch: patch.setattr(
            torchvision.datasets.CIFAR10, "url", url + torchvision.datasets.CIFAR10.filename
        ),
        lambda root: cifar10.load(root),
        ".",
        (3, 32, 32),
        256,
        (40, 20, 12),
        classes=10,
    ),
    "static binarised MNIST": Published(
        write_binarized_mnist,
        lambda url, patch: patch.setattr(binarized_mnist, "URL", url),
        lambda root: binarized_mnist.load(root),
        "binarized_mnist",
        (1, 28, 28),
        2,
        (50, 10, 20),
    ),
    "Omniglot": Published(
        write_omniglot,
        lambda url, patch: patch.setattr(
            torchvision.datasets.Omniglot, "download_url_prefix", url.rstrip("/")
        ),
        lambda root: omniglot.load(root),
        "omniglot-py",
        (1, 28, 28),
        256,
        (18, 2, 10),
        classes=15,
    ),
    "Frey Faces": Published(
        write_frey_faces,
        lambda url, patch: patch.setattr(frey_faces, "URL", url),
        lambda root: frey_faces.load(root),
        "frey_faces",
        (1, 28, 20),
        256,
        (1565, 200, 200),
    ),
}
