import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from vae_cli.data import image_folder
from vae_cli.data.dataset import Dataset
from vae_cli.errors import InvalidOption

GENERATOR = np.random.default_rng(0)


def all_pixels(dataset: Dataset) -> torch.Tensor:
    """The pixels of all parts in the order of the names."""
    names = np.concatenate([part.names for part in dataset.parts.values()])
    pixels = torch.cat([part.pixels for part in dataset.parts.values()])
    return pixels[torch.from_numpy(names.argsort())]


def write(path: Path, size: tuple[int, int] = (5, 6), mode: str = "L") -> np.ndarray:
    """A file of noise, ``size`` being height and width."""
    path.parent.mkdir(parents=True, exist_ok=True)
    channels = {"L": (), "RGB": (3,), "RGBA": (4,)}[mode]
    pixels = GENERATOR.integers(0, 256, (*size, *channels), np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


def sizes(dataset: Dataset) -> list[int]:
    return [len(part) for part in (dataset.train, dataset.validation, dataset.test)]


def test_flat_folder_is_split_by_seed(tmp_path: Path) -> None:
    written = np.stack([write(tmp_path / f"{i:02}.png") for i in range(20)])
    (tmp_path / "notes.txt").touch()
    (tmp_path / "._00.png").touch()
    dataset = image_folder.load(str(tmp_path))
    assert sizes(dataset) == [16, 2, 2]
    assert dataset.levels == 256
    parts = (dataset.train, dataset.validation, dataset.test)
    assert all(part.in_memory and (part.labels == -1).all() for part in parts)
    found = torch.cat([part.pixels for part in parts])
    assert found.dtype == torch.uint8
    assert sorted(found.flatten(1).tolist()) == sorted(written.reshape(20, -1).tolist())
    other = image_folder.load(str(tmp_path), seed=1)
    assert not torch.equal(dataset.test.pixels, other.test.pixels)


def test_folders_are_classes(tmp_path: Path) -> None:
    kinds = {"cat": 0, "dog": 255}
    for kind, grey in kinds.items():
        for i in range(10):
            (tmp_path / kind / "more").mkdir(parents=True, exist_ok=True)
            Image.new("L", (4, 4), grey).save(tmp_path / kind / "more" / f"{i}.PNG")
    dataset = image_folder.load(str(tmp_path))
    for part in (dataset.train, dataset.validation, dataset.test):
        assert torch.equal(part.labels, part.pixels[:, 0, 0, 0].long() // 255)


def test_images_without_a_label(tmp_path: Path) -> None:
    for i in range(10):
        for kind in ("a", "unlabeled", "unlabelled/a", "z", "z/unlabeled"):
            write(tmp_path / kind / f"{i}.png")
        write(tmp_path / f"{i}.png")
    dataset = image_folder.load(str(tmp_path))
    labels = [part.labels for part in (dataset.train, dataset.validation, dataset.test)]
    assert list(dataset.classes) == ["a", "z"]
    assert (torch.cat(labels) + 1).bincount().tolist() == [30, 10, 20]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [(("train", "test"), [9, 1, 10]), (("train", "validation", "test"), [10, 10, 10])],
)
def test_folders_are_parts(parts: tuple[str, ...], expected: list[int], tmp_path: Path) -> None:
    for part in parts:
        for i in range(10):
            write(tmp_path / part / ("a" if i % 2 else "b") / f"{i}.png")
    write(tmp_path / "test" / "z" / "0.png")  # a class that train lacks has its own number
    dataset = image_folder.load(str(tmp_path))
    assert sizes(dataset) == [*expected[:2], 11]
    assert dataset.test.labels.tolist() == [0] * 5 + [1] * 5 + [2]
    assert list(dataset.classes) == ["a", "b", "z"]


@pytest.mark.parametrize(
    ("mode", "channels", "expected"),
    [("L", None, 1), ("RGB", None, 3), ("RGBA", None, 3), ("RGB", 1, 1), ("L", 3, 3)],
)
def test_channels(mode: str, channels: int | None, expected: int, tmp_path: Path) -> None:
    written = [write(tmp_path / f"{i:02}.png", mode=mode) for i in range(10)]
    dataset = image_folder.load(str(tmp_path), channels=channels)
    assert dataset.test.shape == (expected, 5, 6)
    if mode == "RGB" and channels is None:
        first = torch.from_numpy(written[0]).permute(2, 0, 1)
        parts = (dataset.train, dataset.validation, dataset.test)
        assert any(torch.equal(first, image) for part in parts for image in part.pixels)


@pytest.mark.parametrize(("size", "expected"), [(4, (1, 4, 4)), ([3, 8], (1, 3, 8))])
def test_size(size: int | list[int], expected: tuple[int, ...], tmp_path: Path) -> None:
    for i in range(10):
        write(tmp_path / f"{i}.png", size=(5 + i, 9))
    assert image_folder.load(str(tmp_path), size=size).train.shape == expected


@pytest.mark.parametrize(
    ("fit", "top", "left", "what"),
    [
        ("crop", 200, 200, "cuts 10 of 10"),
        ("pad", 255, 0, "adds margins to 10 of 10"),
        ("stretch", 200, 0, "distorts 10 of 10"),
    ],
)
def test_fit(fit: Any, top: int, left: int, what: str, tmp_path: Path) -> None:
    for i in range(10):
        pixels = np.zeros((16, 32), np.uint8)
        pixels[:, 6:26] = 200  # the middle, and what the filter sees beside it
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    dataset = image_folder.load(str(tmp_path), size=8, fit=fit)
    image = dataset.train.pixels[0, 0]
    assert (image[0, 3], image[3, 0], image[3, 3]) == (top, left, 200)
    assert dataset.reading == ["whole numbers", f"fitted by {fit} ({what})"]
    assert image_folder.load(str(tmp_path)).reading == ["whole numbers"]


def test_large_folder_is_read_when_needed(tmp_path: Path) -> None:
    for i in range(20):
        write(tmp_path / "ab"[i % 2] / f"{i:02}.png")
    kept = image_folder.load(str(tmp_path))
    # Workers receive the images pickled.
    read = pickle.loads(pickle.dumps(image_folder.load(str(tmp_path), memory_limit=1e-9)))
    for one, other in ((kept.train, read.train), (kept.test, read.test)):
        assert not other.in_memory
        assert one.shape == other.shape
        assert torch.equal(one.labels, other.labels)
        index = torch.tensor([1, 0, 1])
        assert torch.equal(one.take(index), other.to(torch.device("cpu")).take(index))


def grey_values(dataset: Dataset) -> list[int]:
    parts = (dataset.train, dataset.validation, dataset.test)
    return sorted(int(pixels.max()) for part in parts for pixels in part.pixels)


def fill(folder: Path, values: range) -> None:
    """A folder of images that differ in their grey value."""
    folder.mkdir(parents=True)
    for value in values:
        Image.new("L", (4, 4), value).save(folder / f"{value}.png")


def test_each_image_is_read_once_whatever_leads_to_it(tmp_path: Path) -> None:
    fill(tmp_path / "images" / "z", range(20))
    fill(tmp_path / "elsewhere", range(20, 30))
    for name in ("again", "once more"):
        (tmp_path / "images" / name).symlink_to(tmp_path / "images")
        (tmp_path / "images" / "z" / name).symlink_to(tmp_path / "elsewhere")
        (tmp_path / "images" / f"{name}.png").symlink_to(tmp_path / "images" / "z" / "3.png")
    (tmp_path / "other.bin").write_bytes((tmp_path / "elsewhere" / "20.png").read_bytes())
    (tmp_path / "images" / "b.png").symlink_to(tmp_path / "other.bin")
    (tmp_path / "images" / "a.png").symlink_to(tmp_path / "other.bin")
    dataset = image_folder.load(str(tmp_path / "images"))
    assert grey_values(dataset) == sorted([*range(30), 20])
    assert list(dataset.classes) == ["z"]


def test_parts_may_be_links_and_share_no_image(tmp_path: Path) -> None:
    fill(tmp_path / "pool" / "a", range(20))
    fill(tmp_path / "images" / "test", range(20, 25))
    (tmp_path / "images" / "train").symlink_to(tmp_path / "pool")
    (tmp_path / "images" / "test" / "more").symlink_to(tmp_path / "pool" / "a")
    (tmp_path / "images" / "test" / "3.png").symlink_to(tmp_path / "pool" / "a" / "3.png")
    dataset = image_folder.load(str(tmp_path / "images"))
    assert sizes(dataset) == [18, 2, 5]
    assert grey_values(dataset) == list(range(25))


def test_names_that_are_not_text(tmp_path: Path) -> None:
    fill(tmp_path / "images", range(20))
    for old, new in (("3.png", b"\xff\xfe.png"), ("4.png", b"a\n\x1b[2J.png")):
        (tmp_path / "images" / old).rename(tmp_path / "images" / os.fsdecode(new))
    assert grey_values(image_folder.load(str(tmp_path / "images"))) == list(range(20))
    (tmp_path / "images" / "pipe.txt").mkdir()
    os.mkfifo(tmp_path / "images" / "pipe.txt" / "pipe")  # not an image, by its name
    assert len(image_folder.load(str(tmp_path / "images")).train) == 16


def test_sub_folder_that_may_not_be_entered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locked").mkdir()
    scandir = os.scandir

    def refuse(path: str) -> Any:
        if path.endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)  # the superuser may enter all
    message = "locked, a folder that cannot be read (Permission denied)"
    with pytest.raises(InvalidOption, match=re.escape(message)):
        image_folder.load(str(tmp_path))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(6, 10), (8, 8)])
def test_pictures_stand_as_their_camera_says(
    orientation: int, size: tuple[int, int], tmp_path: Path
) -> None:
    seen = Image.new("RGB", size, "white")
    seen.paste("black", (0, 0, size[0], 2))  # a dark band on top
    undone = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transposition that a camera undoes
    how = undone.get(orientation)
    stored = seen if how is None else seen.transpose(Image.Transpose(how))
    exif = Image.Exif()
    exif[0x0112] = orientation
    for i in range(10):
        stored.save(tmp_path / f"{i}.png", exif=exif)
    found = image_folder.load(str(tmp_path))
    assert found.train.shape == (3, size[1], size[0])
    assert (found.train.pixels[:, :, :2] == 0).all() and (found.train.pixels[:, :, 3:] > 250).all()


def test_broken_exif_does_no_harm(tmp_path: Path) -> None:
    for i in range(10):
        exif = b"Exif\0\0II*\0\xff\xff\xff\xff garbage"
        Image.new("L", (6, 9), 20 * i).save(tmp_path / f"{i}.jpg", exif=exif)
    code = f"from vae_cli.data.image_folder import load; print(len(load({str(tmp_path)!r}).train))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("8\n", "")  # pytest has its own filters


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P", "RGB", "L"])
@pytest.mark.parametrize(("background", "grey"), [("white", 255), ("#404040", 64)])
def test_transparent_pictures_are_put_on_a_background(
    mode: str, background: str, grey: int, tmp_path: Path
) -> None:
    strokes = Image.new("RGBA", (8, 8), (9, 9, 9, 0))  # nothing, which PIL would make dark
    strokes.paste((0, 0, 0, 255), (0, 0, 8, 3))
    for i in range(10):
        if mode in ("RGB", "L"):
            key = (7, 7, 7) if mode == "RGB" else 7
            opaque = Image.new(mode, (8, 8), key)
            opaque.paste(0, (0, 0, 8, 3))
            opaque.save(tmp_path / f"{i}.png", transparency=key)
        elif mode == "P":
            strokes.convert("P").save(tmp_path / f"{i}.gif", transparency=0, background=0)
            strokes.quantize(4).save(tmp_path / f"{i}.png")
            (tmp_path / f"{i}.gif").unlink()
        elif mode == "PA":
            strokes.convert("PA").convert("RGBA").save(tmp_path / f"{i}.webp", lossless=True)
        else:
            strokes.convert(mode).save(tmp_path / f"{i}.png")
    found = image_folder.load(str(tmp_path), background=background)
    assert (found.train.pixels[:, :, 3:] == grey).all() and (
        found.train.pixels[:, :, :3] == 0
    ).all()
    assert any("10 of 10 pictures are transparent" in note for note in found.notes)


def test_folders_by_their_usual_names(tmp_path: Path) -> None:
    for number, part in enumerate(("Train", "VAL", "test")):
        fill(tmp_path / part / "a", range(20 * number, 20 * number + 10))
    fill(tmp_path / "sketches", range(90, 95))
    dataset = image_folder.load(str(tmp_path))
    assert sizes(dataset) == [10, 10, 10] and list(dataset.classes) == ["a"]
    assert dataset.validation.pixels.max() == 29
    assert any("not read: sketches" in note for note in dataset.notes)


def test_a_part_that_is_missing_comes_from_train(tmp_path: Path) -> None:
    fill(tmp_path / "train" / "a", range(20))
    fill(tmp_path / "val" / "a", range(30, 35))
    dataset = image_folder.load(str(tmp_path))
    assert sizes(dataset) == [18, 5, 2] and list(dataset.pooled) == ["train", "test"]


def test_a_class_may_have_the_name_of_a_part(tmp_path: Path) -> None:
    for name in ("bus", "car", "train"):
        fill(tmp_path / name, range(10))
    dataset = image_folder.load(str(tmp_path))
    assert list(dataset.classes) == ["bus", "car", "train"] and sizes(dataset) == [24, 3, 3]
    assert any("train is a class, as are the folders beside it" in note for note in dataset.notes)


def test_hidden_folders_are_no_classes(tmp_path: Path) -> None:
    for name in ("a", "b", ".ipynb_checkpoints", "__MACOSX", ".thumbnails"):
        fill(tmp_path / name, range(10))
    fill(tmp_path / "a" / ".cache", range(20, 30))
    dataset = image_folder.load(str(tmp_path))
    assert list(dataset.classes) == ["a", "b"] and sum(sizes(dataset)) == 20


def test_files_of_other_formats_are_counted(tmp_path: Path) -> None:
    for i in range(10):
        suffix = ("jfif", "JPE", "jpg")[i % 3]
        Image.new("L", (4, 4), i).save(tmp_path / f"{i}.{suffix}", "JPEG")
        (tmp_path / f"{i}.HEIC").touch()
    (tmp_path / "Thumbs.db").touch()
    dataset = image_folder.load(str(tmp_path))
    assert sum(sizes(dataset)) == 10
    assert any("left out: 10 files that end in .heic;" in note for note in dataset.notes)


def test_pages_of_a_stack_are_images(tmp_path: Path) -> None:
    pages = [Image.new("L", (4, 4), 10 * k) for k in range(12)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    pages[0].save(tmp_path / "b.gif", save_all=True, append_images=[Image.new("L", (4, 4), 200)])
    dataset = image_folder.load(str(tmp_path))
    assert sum(sizes(dataset)) == 13  # the first frame of the animation
    assert all_pixels(dataset)[:, 0, 0, 0].tolist() == [0, 10, 100, 110, *range(20, 100, 10), 0]
    assert sum("stacks" in note or "frames" in note for note in dataset.notes) == 2


def test_colour_counts_wherever_it_is(tmp_path: Path) -> None:
    fill(tmp_path / "a", range(19))
    Image.new("RGB", (4, 4), "red").save(tmp_path / "z.png")
    dataset = image_folder.load(str(tmp_path))
    assert dataset.train.shape == (3, 4, 4)
    assert any("19 of 20 pictures are grey" in note for note in dataset.notes)
