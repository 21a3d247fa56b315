"""Data files that are made to harm: one line, at once, before memory is filled."""

import gzip
import io
import os
import signal
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from published import PUBLISHED
from scipy.io import savemat

from vae_cli.data import array, image_folder, mnist
from vae_cli.errors import InvalidOption

IMAGES = np.arange(600, dtype=np.uint8).reshape(20, 5, 6)
BOMB = 1 << 22  # bytes that a member inflates to beyond what it declares


@pytest.fixture(autouse=True)
def _ends() -> Iterator[None]:
    """Fails where a test would wait for ever for a pipe or a device."""
    signal.alarm(60)
    yield
    signal.alarm(0)


def npy(shape: tuple[int, ...], kind: str = "|u1", content: bytes = bytes(600)) -> bytes:
    buffer = io.BytesIO()
    header = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + content


def long_header(length: int) -> bytes:
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", length) + b" " * min(length, BOMB)


def npz(*members: tuple[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, packing)
    return buffer.getvalue()


def twice(content: bytes) -> bytes:
    """An archive of two members, both called as the first is."""
    return content.replace(b"y.npy", b"x.npy")


def matrix(
    shape: tuple[int, ...] = IMAGES.shape, name: bytes = b"x", more: int = 0, says: int = 0
) -> bytes:
    """An array in Matlab's format 5, which says another length than it has if wanted."""
    parts = [(6, struct.pack("<II", 9, 0)), (5, struct.pack(f"<{len(shape)}i", *shape))]
    parts += [(1, name), (2, bytes(600 + more))]
    body = b"".join(struct.pack("<II", k, len(c)) + c + bytes(-len(c) % 8) for k, c in parts)
    return struct.pack("<II", 14, says or len(body)) + body


def packed(content: bytes, after: bytes = b"") -> bytes:
    content = zlib.compress(content) + after
    return struct.pack("<II", 15, len(content)) + content


def mat(*arrays: bytes) -> bytes:
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + b"".join(arrays)


def mat4(*numbers: int) -> bytes:
    return (struct.pack("<5i", *numbers) + b"x\0" + bytes(4800)) * 2


ARRAYS: list[tuple[str, str, bytes, str]] = [
    # what is wrong, suffix, content, middle of the message
    ("negative shape", ".npy", npy((-20, 5, -6)), "it declares the shape (-20, 5, -6)"),
    ("long header", ".npy", long_header(1 << 31), "reading array header, expected 2147483648"),
    (
        "inflated header",
        ".npz",
        npz(("x.npy", long_header(BOMB))),
        "reading array header, expected",
    ),
    ("overflow", ".npy", npy((1 << 32, 1 << 32, 1)), "it should hold 1.638e+04 PiB"),
    ("hidden overflow", ".npy", npy((1 << 32, 1 << 32, 0)), "cannot reshape"),
    ("pickle", ".npz", npz(("x.npy", npy((1, 1), "|O", b"cos\nabort\n(tR."))), "holds x of object"),
    ("program", ".npy", npy((20, 5, 6)).replace(b"'|u1'", b"abs(1)"), "malformed node"),
    ("two names", ".npz", twice(npz(("x.npy", npy((9, 9))), ("y.npy", b""))), "two arrays of one"),
    (
        "bzip2",
        ".npz",
        npz(("x.npy", npy((20, 5, 6))), packing=zipfile.ZIP_BZIP2),
        "not compressed the way",
    ),
    (
        "lzma",
        ".npz",
        npz(("x.npy", npy((20, 5, 6))), packing=zipfile.ZIP_LZMA),
        "not compressed the way",
    ),
    ("many", ".npz", npz(*[(f"{i}.npy", b"") for i in range(11)]), "holds more than 10 arrays"),
    ("many", ".mat", mat(*[matrix(name=b"x%d" % i) for i in range(11)]), "more than 10 arrays"),
    (
        "negative shape",
        ".mat",
        mat(matrix((-20, 5, -6))),
        "it declares an array of negative length",
    ),
    ("large", ".mat", mat(packed(matrix((1 << 30, 1 << 30)))), "and there are 1 GiB of memory"),
    ("large stream", ".mat", mat(packed(matrix(says=1 << 31))), "it takes 6 GiB, and there are 1"),
    ("hidden data", ".mat", mat(packed(matrix(more=BOMB, says=600))), "more than it declares"),
    (
        "hidden name",
        ".mat",
        mat(packed(matrix(name=bytes(BOMB), says=600))),
        "more than it declares",
    ),
    ("after the end", ".mat", mat(packed(matrix(more=BOMB), b"x" * 99_999)), "cannot reshape"),
    ("two names", ".mat", mat(matrix(), packed(matrix())), "it holds two arrays of one name"),
    ("4: back", ".mat", mat4(0, -20, 30, 0, 2), "an array of negative length"),
    ("4: name", ".mat", mat4(0, 20, 30, 0, -2), "an array of negative length"),
    ("4: large", ".mat", mat4(0, 1 << 30, 1 << 30, 1, 2), "it declares more than it holds"),
    ("7.3", ".mat", mat().replace(b"\x01IM", b"\x02IM"), "Matlab's save -v7 writes one"),
]


@pytest.mark.parametrize(("wrong", "suffix", "content", "message"), ARRAYS)
def test_array(
    wrong: str, suffix: str, content: bytes, message: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("vae_cli.data.numbers.MOST_ARRAYS", 10)
    monkeypatch.setattr("vae_cli.data.numbers.machine_memory", lambda: 1 << 30)
    path = tmp_path / f"images{suffix}"
    path.write_bytes(content)
    with pytest.raises(InvalidOption) as caught:
        array.load(str(path))
    assert message in str(caught.value) and len(str(caught.value)) < 600


@pytest.mark.parametrize("form", ["4", "5"])
@pytest.mark.parametrize("is_compressed", [False, True])
def test_matlab_of_every_version_is_read(form: str, is_compressed: bool, tmp_path: Path) -> None:
    content = {"x": IMAGES.reshape(20, 30), "y": np.eye(3) * 1j, "z": "text"}
    savemat(tmp_path / "x.mat", content, format=form, do_compression=is_compressed)
    dataset = array.load(str(tmp_path / "x.mat"), key="x", shape=[1, 5, 6])
    assert len(dataset.train) == 16 and int(dataset.test.pixels.max()) <= 255


def test_one_label_without_an_axis(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=IMAGES[:1], labels=np.array(3))
    with pytest.raises(InvalidOption, match=r"labels of shape \(\) for 1 images"):
        array.load(str(tmp_path / "x.npz"))


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(path))


SPECIAL: list[Callable[[Path], None]] = [
    os.mkfifo,
    make_socket,
    lambda path: path.symlink_to("/dev/zero"),
    lambda path: path.symlink_to("/dev/stdin"),
]


@pytest.mark.parametrize("make", SPECIAL)
@pytest.mark.parametrize("suffix", [".npy", ".npz", ".mat", ".png"])
def test_special_file(
    make: Callable[[Path], None], suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    make(Path(f"x{suffix}"))
    with pytest.raises(InvalidOption, match=r"not a regular file|No such device or address"):
        image_folder.load(".") if suffix == ".png" else array.load(f"x{suffix}")


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_set_of_pipes(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = PUBLISHED[name]
    (tmp_path / "served").mkdir()
    published.write(tmp_path / "served", monkeypatch)
    published.point("http://127.0.0.1:9/", monkeypatch)
    for path in (tmp_path / "served").rglob("*"):
        target = tmp_path / "root" / published.folder / path.relative_to(tmp_path / "served")
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            os.mkfifo(target)
        if path.suffix == ".gz":
            os.mkfifo(target.with_suffix(""))
    with pytest.raises(InvalidOption, match="not a regular file"):
        published.load(str(tmp_path / "root"))


@pytest.mark.parametrize(
    ("header", "more", "message"),
    [
        ((2051, 10**9, 28, 28), 0, "does not begin as a file of shape"),
        ((2049, 60, 28, 28), 0, "does not begin as a file of shape"),
        ((2051, 60, 28, 28), -1, "does not have the length"),
        ((2051, 60, 28, 28), 1, "does not have the length"),
    ],
)
def test_idx(
    header: tuple[int, ...], more: int, message: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    PUBLISHED["MNIST"].write(tmp_path / "MNIST" / "raw", monkeypatch)
    for path in list((tmp_path / "MNIST" / "raw").iterdir()):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
    mnist.load("MNIST", str(tmp_path))
    content = struct.pack(">4I", *header) + bytes(60 * 28 * 28 + more)
    (tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(InvalidOption, match=message):
        mnist.load("MNIST", str(tmp_path))
