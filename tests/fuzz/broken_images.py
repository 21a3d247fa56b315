"""Images and published sets with something wrong in them."""

import gzip
import io
import os
import struct
import zlib
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from scipy.io import savemat

Options = dict[str, Any]
SIZES = (24, 12)  # of the training and test images of the published sets, for the tests
SIDE = 28


class Damage(NamedTuple):
    """Which set's loader is to read what, with which options."""

    data: str
    options: Options


def spoilt(random: Random, whole: bytes) -> bytes:
    """A file that is cut off, altered, repeated, or not altered at all."""
    how = random.randrange(9)
    if how == 0:
        return whole[: random.randrange(len(whole) + 1)]
    if how == 1:
        return whole[: random.choice([0, 1, 2, 4, 8, 10, 16, 20, 100, len(whole) - 1])]
    if how == 2:
        return whole[random.randrange(1, 20) :]
    if how == 3:
        return whole + random.randbytes(random.randrange(1, 100))
    if how in (4, 7, 8) or not whole:
        return whole
    altered = bytearray(whole)
    reach = len(whole) if how == 5 else min(len(whole), 150)  # the header
    for _ in range(random.choice([1, 3, 20])):
        altered[random.randrange(reach)] = random.randrange(256)
    return bytes(altered)


def an_image(random: Random) -> bytes:
    """A file of any format, mode and size."""
    buffer = io.BytesIO()
    size = random.choice([(6, 5), (6, 5), (6, 5), (1, 1), (7, 5), (200, 1)])
    mode = random.choice(
        ["L", "L", "RGB", "RGBA", "P", "1", "LA", "I", "F", "I;16", "CMYK", "YCbCr"]
    )
    image = Image.new(mode, size)
    if random.random() < 0.1:
        return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 6 5\n%%EndComments\nshowpage\n"
    forms = ["PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "ICO", "PCX", "TGA", "PDF", "MPO"]
    for form in (random.choice(forms), "TIFF"):
        try:
            image.save(buffer, form)
            break
        except Exception:  # not every format has every mode
            buffer = io.BytesIO()
    return spoilt(random, buffer.getvalue() or b"none")


def image_folder(random: Random, folder: Path) -> Damage:
    """A folder with an image or two that are none, or are enormous, or with links and pipes."""
    suffix = random.choice([".png", ".jpg", ".gif", ".tif", ".PNG", ".webp", ".bmp"])
    below = random.choice(
        [[""], [""], ["a", "b"], ["train", "test"], ["train/a", "test/a", "test/b"], ["train"]]
    )
    good = io.BytesIO()
    Image.new("L", (6, 5), 128).save(good, "PNG")
    for part in below:
        (folder / part).mkdir(parents=True, exist_ok=True)
        for i in range(random.choice([0, 1, 12, 12])):
            (folder / part / f"{i}.png").write_bytes(good.getvalue())
        if random.random() < 0.7:
            content = random.choice([an_image(random), png_bomb(random), b""])
            (folder / part / f"odd{suffix}").write_bytes(content)
    random.choice(ODDITIES)(folder, below[0], good.getvalue())
    options: Options = {"root": str(folder)}
    if random.random() < 0.5:
        options["size"] = random.choice([4, [5, 6], [1, 1], [3], 1])
    if random.random() < 0.3:
        options["channels"] = random.choice([1, 3])
    if random.random() < 0.2:
        options["memory_limit"] = 1e-9
    return Damage("image_folder", options)


def loops(folder: Path, part: str, image: bytes) -> None:
    """Two links to the folder itself: 2^40 paths to whoever follows each."""
    (folder / part / "again").symlink_to(folder)
    (folder / part / "and again").symlink_to(folder)


def dead_links(folder: Path, part: str, image: bytes) -> None:
    """Links to nothing, one of which may be an image."""
    (folder / part / "loop").symlink_to(folder / part / "loop")
    (folder / part / "gone.png").symlink_to(folder / "nothing")


def odd_names(folder: Path, part: str, image: bytes) -> None:
    """Names that are not UTF-8, or would end a line."""
    for name in ("sür 🦊\n.png", os.fsdecode(b"\xff\xfe.png")):
        (folder / part / name).write_bytes(image)


def odd_class(folder: Path, part: str, image: bytes) -> None:
    """A class whose name would end a line."""
    (folder / part / "a\nb").mkdir()
    (folder / part / "a\nb" / "0.png").write_bytes(image)


def deep(folder: Path, part: str, image: bytes) -> None:
    """Folders within folders."""
    (folder / part / "/".join("d" * 300)).mkdir(parents=True)


def images_that_are_not_files(folder: Path, part: str, image: bytes) -> None:
    """A folder, a pipe and a device called as images are."""
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / part / "pipe.png")
    (folder / part / "zero.png").symlink_to("/dev/zero")


ODDITIES = [
    *(loops, dead_links, odd_names, odd_class, deep, images_that_are_not_files),
    *[lambda folder, part, image: None] * 6,
]


def png_bomb(random: Random) -> bytes:
    """A PNG whose header says that it is enormous."""
    buffer = io.BytesIO()
    Image.new("L", (6, 5)).save(buffer, "PNG")
    whole = bytearray(buffer.getvalue())
    side = random.choice([9_500, 12_000, 30_000, (1 << 31) - 1, 0])
    whole[16:24] = struct.pack(">II", side, side)
    whole[29:33] = struct.pack(">I", zlib.crc32(bytes(whole[12:29])))  # of the header
    return bytes(whole)


def idx(random: Random, folder: Path) -> Damage:
    """MNIST's four files, one of them spoilt, or packed as a bomb."""
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    wrong = random.randrange(4)
    for part, name in enumerate(("train", "t10k")):
        count = SIZES[part]
        images = struct.pack(">IIII", 2051, count, SIDE, SIDE) + bytes(count * SIDE * SIDE)
        labels = struct.pack(">II", 2049, count) + bytes(count)
        for i, (kind, content) in enumerate((("images-idx3", images), ("labels-idx1", labels))):
            if 2 * part + i == wrong:
                kinds = [spoilt(random, content), _idx_header(random) + content[16:], b""]
                content = random.choice(kinds)
            (raw / f"{name}-{kind}-ubyte").write_bytes(content)
    if random.random() < 0.2:
        (raw / "train-images-idx3-ubyte").unlink()
        (raw / "train-images-idx3-ubyte.gz").write_bytes(gz_bomb())
    return Damage("mnist", {"name": "MNIST", "root": str(folder)})


def _idx_header(random: Random) -> bytes:
    numbers = [random.choice([0, 1, 12, 24, 28, 2051, 2049, (1 << 32) - 1, 3331]) for _ in range(4)]
    return struct.pack(">IIII", *numbers)


def gz_bomb() -> bytes:
    """A few kilobytes that inflate to a thousand times as many, over and over: gzip's members."""
    return gzip.compress(bytes(1 << 22)) * 64


def amat(random: Random, folder: Path) -> Damage:
    """The three files of static binarised MNIST, one of them spoilt or a bomb."""
    (folder / "binarized_mnist").mkdir()
    wrong = random.randrange(3)
    for i, part in enumerate(("train", "valid", "test")):
        path = folder / "binarized_mnist" / f"binarized_mnist_{part}.amat"
        content = b"0 1 " * (SIDE * SIDE // 2 * SIZES[1])
        packed = random.random() < 0.5
        content = gzip.compress(content, 1) if packed else content
        if i == wrong:
            content = random.choice([spoilt(random, content), gz_bomb() if packed else b"2"])
        Path(f"{path}.gz" if packed else path).write_bytes(content)
    return Damage("binarized_mnist", {"root": str(folder)})


def faces(random: Random, folder: Path) -> Damage:
    """Frey Faces with another content."""
    (folder / "frey_faces").mkdir()
    buffer = io.BytesIO()
    content = random.choice(
        [np.zeros((560, 1965), np.uint8), np.zeros((560, 9)), np.zeros((560, 1965), complex)]
    )
    savemat(buffer, {random.choice(["ff", "ff", "gg"]): content}, do_compression=True)
    path = folder / "frey_faces" / "frey_rawface.mat"
    path.write_bytes(spoilt(random, buffer.getvalue()))
    return Damage("frey_faces", {"root": str(folder)})
