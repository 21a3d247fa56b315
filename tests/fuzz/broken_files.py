"""Data files with something wrong in them, each a function of its number."""

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
from broken_images import Damage, Options, amat, faces, idx, image_folder, spoilt
from scipy.io import savemat

BOMB = 1 << 36  # bytes: what a bomb would inflate to, or says that it holds


def damage(number: int, folder: Path) -> Damage:
    """Puts the files of a number into an empty folder: always the same."""
    random = Random(f"data file {number}")
    return random.choice(KINDS)(random, folder)


def an_array(random: Random) -> np.ndarray:
    """An array that may or may not be one of images."""
    generator = np.random.default_rng(random.randrange(1 << 32))
    count = random.choice([0, 1, 2, 9, 10, 20, 30])
    shapes: list[tuple[int, ...]] = [
        (count, 5, 6), (20, 5, 6), (30, 5, 6), (20, 1, 5, 6), (20, 30), (count, 1, 5, 6),
        (count, 5, 6, 3), (count, 2, 5, 6), (count, 30), (count,), (), (count, 0, 6), (5, 6),
        (2, 2, 2, 2, 2), (count, 5, 6, 0), (30, count), (count, 1, 1, 1),
    ]  # fmt: skip
    shape = random.choice(shapes)
    array = generator.integers(0, 256, shape)
    kind = random.choice([
        "u1", "u1", "u1", "i8", "i1", "u8", "f2", "f4", "f8", "g", "c8", "c16", "?", "U3", "S4",
        "M8[s]", "m8[s]", "V3", ">i4", ">f8", "O", "i4,f4",
    ])  # fmt: skip
    if kind == "O":
        found = np.empty(shape, object)
        found[...] = random.choice([None, 3, {}, [1]])
        return found
    if kind in ("V3", "i4,f4"):
        return np.zeros(shape, kind)
    with np.errstate(all="ignore"):
        array = array.astype(kind)
    if array.dtype.kind == "f" and array.size:
        odd = random.choice([np.nan, np.inf, -np.inf, 1e30, -1.0, 0.5, 0.0])
        with np.errstate(all="ignore"):
            array.flat[random.randrange(array.size)] = odd
        array = array / 255 if random.random() < 0.5 else array
    if array.dtype.kind == "i" and array.size and random.random() < 0.5:
        array.flat[0] = random.choice([-1, 100])
    return array


def npy(random: Random, folder: Path) -> Damage:
    """One array alone."""
    buffer = io.BytesIO()
    np.save(buffer, an_array(random), allow_pickle=True)
    return _written(random, folder / "images.npy", spoilt(random, buffer.getvalue()))


def npz(random: Random, folder: Path) -> Damage:
    """Several arrays."""
    names = random.sample(["x", "train", "test", "validation", "labels", "train_labels", "a/b"], 2)
    buffer = io.BytesIO()
    save = random.choice([np.savez, np.savez_compressed])
    first = an_array(random)
    save(buffer, **{names[0]: first, names[1]: random.choice([first, an_array(random)])})
    return _written(random, folder / "images.npz", spoilt(random, buffer.getvalue()))


def mat(random: Random, folder: Path) -> Damage:
    """Matlab's."""
    contents = {"x": random.choice([an_array(random), np.array(["text"]), {"a": 1}, [[1], [2, 3]]])}
    buffer = io.BytesIO()
    try:
        savemat(buffer, contents, do_compression=random.random() < 0.5)
    except Exception:  # scipy can't write all of numpy's types
        return npy(random, folder)
    return _written(random, folder / "images.mat", spoilt(random, buffer.getvalue()))


def declared(random: Random, folder: Path) -> Damage:
    """A header that promises more than there is, or less."""
    shape = random.choice([
        (BOMB,), (1 << 20, 1 << 20, 3), (1 << 62, 5, 6), (10, -5, 6), (10, 1 << 40, 0), (3, 5, 6),
        (1 << 70, 2, 2), (1 << 32, 1 << 32, 0),
    ])  # fmt: skip
    kind = random.choice(["|u1", "<f8", "|V1000000", "<U1000000", "|b1", "|O"])
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text = random.choice([text, text + b" " * 70_000, b"{" * 5000, b"[" + text + b"]"])
    length = random.choice([len(text), len(text), (1 << 32) - 1])
    head = b"\x93NUMPY\x02\x00" + struct.pack("<I", length) + text
    whole = head + bytes(random.choice([0, 100, 5000]))
    if random.random() < 0.5:
        return _written(random, folder / "images.npy", whole)
    buffer = io.BytesIO()
    packing = random.choice([zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    with zipfile.ZipFile(buffer, "w", packing) as archive:
        archive.writestr("x.npy", whole)
    return _written(random, folder / "images.npz", buffer.getvalue())


def mat_lengths(random: Random, folder: Path) -> Damage:
    """Matlab's headers with lengths that lie, and streams that inflate to more than they say."""
    number = random.choice([0, 1, 20, -1, -40, 1 << 30, (1 << 31) - 1])
    if random.random() < 0.5:  # version 4: kind, rows, columns, whether complex, length of the name
        numbers = [0, 20, 30, random.choice([0, 1]), 2]
        numbers[random.randrange(5)] = number
        content = (struct.pack("<5i", *numbers) + b"x\0" + bytes(4800)) * 2
        return _written(random, folder / "images.mat", content)
    shape = [20, 5, 6]
    shape[random.randrange(3)] = number
    name = b"x" * random.choice([1, 1, 1 << 22])
    parts = [(6, struct.pack("<II", 9, 0)), (5, struct.pack("<3i", *shape)), (1, name)]
    parts += [(2, bytes(random.choice([600, 600, 1 << 22])))]
    body = b"".join(struct.pack("<II", k, len(c)) + c + bytes(-len(c) % 8) for k, c in parts)
    array = struct.pack("<II", 14, random.choice([len(body), len(body), 600])) + body
    if random.random() < 0.7:
        packed = zlib.compress(array)
        array = struct.pack("<II", 15, random.choice([len(packed), len(packed), 1 << 31])) + packed
    head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    return _written(random, folder / "images.mat", head + array * random.choice([1, 1, 2]))


def zip_bomb(random: Random, folder: Path) -> Damage:
    """A few kilobytes that inflate to gigabytes, or say that they do."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "|u1", "fortran_order": False, "shape": (BOMB // 64, 8, 8)}
    )
    content = head.getvalue() + bytes(1 << 20)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(random.choice([1, 3])):
            archive.writestr(f"x{i}.npy", content)
    packed, size = bytearray(buffer.getvalue()), struct.pack("<I", len(content))
    for at in _places(packed, size):  # what it says of the unpacked size
        packed[at : at + 4] = struct.pack("<I", (1 << 32) - 2)
    return _written(random, folder / "images.npz", bytes(packed))


def _places(data: bytes | bytearray, part: bytes) -> list[int]:
    return [at for at in range(len(data)) if data[at : at + len(part)] == part]


def _written(random: Random, path: Path, content: bytes) -> Damage:
    options: Options = {"path": str(path)}
    choices = {"key": ["x", "gone"], "test_key": ["test"], "shape": [[1, 5, 6], [5, 6], [1, 1, 30]]}
    for name, values in choices.items():
        if random.random() < 0.1:
            options[name] = random.choice(values)
    how = random.randrange(30)
    if how == 0:
        path.mkdir()
    elif how == 1:
        path.symlink_to(path)
    elif how == 2:
        path.with_suffix("").symlink_to(folder_of(path))
        path.symlink_to(path.with_suffix(""))
    elif how == 3:
        os.mkfifo(path)
    elif how == 4:
        path.symlink_to("/dev/zero")
    else:
        path.write_bytes(content)
    return Damage("array", options)


def folder_of(path: Path) -> Path:
    """Where a file lies."""
    return path.parent


KINDS: list[Callable[[Random, Path], Damage]] = [
    npy, npz, npz, mat, mat, mat_lengths, declared, zip_bomb, image_folder, image_folder,
    image_folder, idx, idx, amat, faces,
]  # fmt: skip
