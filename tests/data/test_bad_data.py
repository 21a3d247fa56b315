"""Each rule that a user can break, with the line that says so."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from vae_cli.data import array, binarized_mnist, frey_faces, image_folder, mnist, omniglot
from vae_cli.errors import InvalidOption

IMAGES = np.zeros((20, 5, 6), np.uint8)

TABLE = np.hstack([np.arange(20)[:, None] % 3, np.random.default_rng(0).random((20, 16))])
ARRAYS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    # what is wrong, contents of an .npz, options, beginning or middle of the message
    ("object", {"x": np.array([[{}]], object)}, {}, "holds x of object. Images are"),
    ("text", {"x": np.full((20, 5, 6), "a")}, {}, "holds x of <U1"),
    ("complex", {"x": IMAGES.astype(complex)}, {}, "holds x of complex128"),
    ("nan", {"x": np.full((20, 5, 6), np.nan)}, {}, "holds x with values that are NaN"),
    ("inf", {"x": np.full((20, 5, 6), np.inf)}, {}, "holds x with values that are NaN or infinite"),
    ("too large", {"x": np.full((20, 5, 6), 1e300)}, {}, "NaN or infinite"),
    ("negative", {"x": IMAGES.astype(int) - 1}, {}, "holds x with whole numbers from -1 to -1"),
    ("above 255", {"x": IMAGES + np.int64(256)}, {}, "whole numbers from 256 to 256"),
    ("empty", {"x": np.zeros((0, 5, 6))}, {}, "holds x of shape (0, 5, 6): no image at all"),
    ("no width", {"x": np.zeros((5, 6, 0))}, {}, "no image at all"),
    ("five axes", {"x": np.zeros((2, 2, 2, 2, 2))}, {}, "where images have 2 to 4 axes"),
    ("length", {"x": np.zeros((20, 30))}, {"shape": [29]}, "shape=[29]: is not the shape"),
    ("two numbers", {"x": np.zeros((20, 30))}, {"shape": [5, 6]}, "or the length of a vector"),
    ("either axis", {"x": np.zeros((20, 3, 5, 3))}, {}, "NCHW (20 images of 3x5x3) or NHWC"),
    (
        "one photo",
        {"x": np.zeros((32, 32, 3))},
        {},
        "or HWN (3 images of 1x32x32). Try",
    ),
    ("turned", {"x": np.zeros((20, 20, 30))}, {}, "NHW (20 images of 1x20x30) or HWN (30 images"),
    ("layout", {"x": IMAGES}, {"layout": "NCHW"}, "layout=NCHW: names 4 axes, and x has 3. Leave"),
    ("scale", {"x": IMAGES}, {"scale": 0.0}, "scale=0.0: needs a number above 0"),
    ("wrong shape", {"x": IMAGES}, {"shape": [1, 6, 5]}, "shape=[1,6,5]: is not the shape"),
    ("wrong rows", {"x": np.zeros((9, 7))}, {"shape": [1, 2, 3]}, "shape=[1,2,3]: is not"),
    ("short shape", {"x": IMAGES}, {"shape": [5, 6]}, "shape=[5,6]: needs channels, height"),
    (
        "several",
        {"a": IMAGES, "b": IMAGES},
        {},
        "it holds ['a', 'b']. Name the one to take",
    ),
    ("two of one part", {"x": IMAGES, "data": IMAGES}, {}, "it holds ['data', 'x']. Name the one"),
    ("no image", {"a": np.zeros(3)}, {}, "does not tell which arrays are images: it holds ['a']"),
    ("vector", {"x": np.zeros(3)}, {}, "holds x of shape (3,), where images have 2 to 4 axes"),
    ("no key", {"x": IMAGES}, {"key": "y"}, "holds no array called y, only ['x']"),
    ("no train", {"test": IMAGES}, {}, "has a test part and no training images: it holds ['test']"),
    ("no test", {"a": IMAGES}, {"key": "a", "test_key": "b"}, "no array called b, only ['a']"),
    ("shapes", {"train": IMAGES, "test": IMAGES[:, 1:]}, {}, "holds parts of different shapes"),
    ("kinds", {"train": IMAGES, "test": IMAGES / 2}, {}, "whole numbers in one part and floats"),
    ("label count", {"x": IMAGES, "labels": np.zeros(19)}, {}, "labels of shape (19,) for 20"),
    ("label name", {"x": IMAGES, "y": np.full(20, "a\nb")}, {}, "holds a label 'a\\nb', which is"),
    ("nothing", {}, {}, "is empty: it holds no array"),
    ("16 bits", {"x": IMAGES.astype("u2") + 999}, {}, "Try scale=65535."),
    ("one image", {"x": IMAGES[:1]}, {}, "It takes at least 3 images, one for each part."),
    ("two images", {"x": IMAGES[:2]}, {}, "It takes at least 3 images, one for each part."),
    ("a label", {"x": TABLE}, {"shape": [1, 4, 4]}, "the first column may be a label"),
    ("no validation", {"x": IMAGES[:4]}, {}, "validation=0.1: leaves none of the 4 images"),
    ("few to test", {"x": IMAGES}, {"test": 0.01}, "test=0.01: leaves none of the 20 images"),
    (
        "none to train",
        {"x": IMAGES},
        {"test": 0.9},
        "test=0.9: leaves none of the 20 images to",
    ),
    ("fraction", {"x": IMAGES}, {"test": 1.1}, "test=1.1: needs a number"),
]


@pytest.mark.parametrize(("wrong", "contents", "options", "message"), ARRAYS)
def test_array(
    wrong: str, contents: dict[str, Any], options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "images.npz"
    np.savez(path, **contents)
    with pytest.raises(InvalidOption, match=re.escape(message)):
        array.load(str(path), **options)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".mat"])
@pytest.mark.parametrize("contents", [b"", b"nonsense", b"x" * 200, b"PK\x03\x04", b"\x93NUMPY"])
def test_file_that_holds_no_array(suffix: str, contents: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"images{suffix}"
    path.write_bytes(contents)
    with pytest.raises(InvalidOption, match=f"images{suffix}: can't be read as {suffix}"):
        array.load(str(path))


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_a_file_of_another_kind_is_called_so(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"images{suffix}"
    for content, rule in ((b"", "it is empty"), (b"1,2\n", "does not begin like a .npy file")):
        path.write_bytes(content)
        with pytest.raises(InvalidOption, match=rule):
            array.load(str(path))


@pytest.mark.parametrize("count", range(3, 12))
def test_the_remedy_for_few_images_works(count: int, tmp_path: Path) -> None:
    path = tmp_path / "images.npz"
    np.savez(path, x=IMAGES[:count])
    options: dict[str, Any] = {"validation": 0.01, "test": 0.01, "layout": "NHW"}
    with pytest.raises(InvalidOption) as raised:
        array.load(str(path), **options)
    words = raised.value.advice.removeprefix("Try ").removesuffix(".").split()
    for name, value in (word.split("=") for word in words):
        options[name] = float(value)
    assert all(map(len, array.load(str(path), **options).parts.values()))


def test_a_table_with_labels_is_read_with_a_note(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", TABLE)
    notes = array.load(str(tmp_path / "t.npy")).notes
    assert any("the first column may be a label: it holds 3 whole" in note for note in notes)
    np.save(tmp_path / "t.npy", TABLE[:, 1:])
    assert not any("label" in note for note in array.load(str(tmp_path / "t.npy")).notes)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (None, "path=null: needs the file of an array. Try path=my_images.npz."),
        ("images.csv", "path=images.csv: needs a file that ends in .npy, .npz, .mat."),
        ("images.npz", "path=images.npz: is not there."),
    ],
)
def test_array_path(path: str | None, message: str) -> None:
    with pytest.raises(InvalidOption, match=re.escape(message)):
        array.load(path)


def nothing(folder: Path) -> None:
    """Leaves the folder empty."""


def corrupt(folder: Path) -> None:
    (folder / "5.png").write_bytes((folder / "4.png").read_bytes()[:60])


def no_image(folder: Path) -> None:
    (folder / "5.png").write_text("a text")


def another_size(folder: Path) -> None:
    Image.new("L", (7, 6)).save(folder / "5.png")


def deep(folder: Path) -> None:
    Image.fromarray(np.full((32, 32), 40_000, np.uint16)).save(folder / "0.png")


def part_without_train(folder: Path) -> None:
    (folder / "Test").mkdir()


def two_for_one_part(folder: Path) -> None:
    for name in ("train", "val", "valid"):
        (folder / name).mkdir()


def empty_part(folder: Path) -> None:
    (folder / "train").mkdir()
    (folder / "test").mkdir()


def one_file(folder: Path) -> None:
    for i in range(1, 10):
        (folder / f"{i}.png").unlink()


def starts_a_program(folder: Path) -> None:
    (folder / "5.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")


def another_format(folder: Path) -> None:
    Image.new("L", (32, 32)).save(folder / "5.png", "ICO")


def bomb(folder: Path) -> None:
    Image.new("1", (9000, 9000)).save(folder / "5.png")


def gone(folder: Path) -> None:
    (folder / "a.png").symlink_to(folder / "nothing")


def deep_folders(folder: Path) -> None:
    (folder / "/".join("a" * 200)).mkdir(parents=True)


def odd_class(folder: Path) -> None:
    (folder / "a\nb").mkdir()
    (folder / "5.png").rename(folder / "a\nb" / "5.png")


FOLDERS: list[tuple[Callable[[Path], None], dict[str, Any], str]] = [
    # what is done to a folder of ten images, options, message
    (corrupt, {}, "5.png, which can't be read as an image"),
    (corrupt, {"size": 4}, "5.png, which can't be read as an image"),
    (no_image, {}, "5.png, which can't be read as an image"),
    (no_image, {"memory_limit": 1e-9}, "5.png, which can't be read as an image"),
    (another_size, {}, "5.png is (6, 7). Try size=64"),
    (deep, {}, "0.png with more than 256 grey levels"),
    (starts_a_program, {}, "5.png, which can't be read as an image (its content is not one of BMP"),
    (another_format, {}, "5.png, which can't be read as an image (its content is not one of BMP"),
    (bomb, {"size": 4}, "5.png, which can't be read as an image (it has more than 80,000,000 pix"),
    (gone, {}, "a.png, a link that cannot be followed (No such file or directory)"),
    (deep_folders, {}, "a/a/a/a, where folders are nested more than 100 deep"),
    (odd_class, {}, r"holds a folder called 'a\nb', which is not a name that can be printed"),
    (nothing, {"size": 9_000}, "size=[9000,9000]: needs no more than 80,000,000 pixels"),
    (part_without_train, {}, "holds the folder Test but not train"),
    (two_for_one_part, {}, "holds two folders for validation: val and valid. Rename"),
    (nothing, {"background": "whit"}, "background=whit: is not the name of a colour. Try black"),
    (empty_part, {}, "holds no images for train, test"),
    (one_file, {}, "validation=0.1: leaves none of the 1 images"),
    (nothing, {"size": [1, 2, 3]}, "size=[1,2,3]: needs height and width, or one number"),
    (nothing, {"size": 0}, "size=0: needs"),
    (nothing, {"channels": 2}, "channels=2: needs one of 1, 3 or null"),
    (nothing, {"memory_limit": 0}, "memory_limit=0: needs a number above 0"),
]


@pytest.mark.parametrize(("change", "options", "message"), FOLDERS)
def test_image_folder(
    change: Callable[[Path], None], options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)
    for i in range(10):
        Image.fromarray(noise).save(tmp_path / f"{i}.png")
    change(tmp_path)
    with pytest.raises(InvalidOption, match=re.escape(message)):
        image_folder.load(str(tmp_path), **options)


def test_large_folder_tells_of_a_corrupt_image_when_it_is_read(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)
    for i in range(10):
        Image.fromarray(noise).save(tmp_path / f"{i}.png")
    dataset = image_folder.load(str(tmp_path), memory_limit=1e-9)
    corrupt(tmp_path)
    with pytest.raises(InvalidOption, match=re.escape("5.png, which can't be read as an image")):
        for part in (dataset.train, dataset.validation, dataset.test):
            part.take(torch.arange(len(part)))


@pytest.mark.parametrize(
    ("root", "message"),
    [
        (None, "root=null: needs a folder of images. Try root=my_images."),
        ("missing", "root=missing: is not a folder that can be entered."),
        (".", "root=.: holds no images"),
        ("~nobody of that name", "names the home folder of an unknown user. Write the whole path."),
    ],
)
def test_image_folder_root(
    root: str | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidOption, match=re.escape(message)):
        image_folder.load(root)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 1 " * 392, "binarized_mnist_train.amat has 784 values, not 2 x 784"),
        ("0 2 " * 784, "binarized_mnist_train.amat has characters besides 0 and 1"),
        ("0 . " * 784, "binarized_mnist_train.amat has characters besides 0 and 1"),
    ],
)
def test_binarized_mnist(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binarized_mnist, "SIZES", {"train": 2, "valid": 2, "test": 2})
    (tmp_path / "binarized_mnist").mkdir()
    for part in ("train", "valid", "test"):
        (tmp_path / "binarized_mnist" / f"binarized_mnist_{part}.amat").write_text(text)
    with pytest.raises(InvalidOption, match=re.escape(message)):
        binarized_mnist.load(str(tmp_path))


def test_frey_faces(tmp_path: Path) -> None:
    from scipy.io import savemat

    (tmp_path / "frey_faces").mkdir()
    savemat(tmp_path / "frey_faces" / frey_faces.FILE, {"ff": np.zeros((560, 100), np.uint8)})
    with pytest.raises(
        InvalidOption, match=re.escape("holds uint8 of shape (560, 100), not uint8")
    ):
        frey_faces.load(str(tmp_path))


def test_options() -> None:
    with pytest.raises(
        InvalidOption, match="name=EMNIST: needs one of MNIST, FashionMNIST, KMNIST"
    ):
        mnist.load("EMNIST")
    with pytest.raises(InvalidOption, match="size=0: needs a whole number of at least 1"):
        omniglot.load(size=0)
