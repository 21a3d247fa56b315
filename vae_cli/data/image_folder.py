"""The user's own images in a folder."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import ImageColor
from torch import Size

from vae_cli.data.dataset import Dataset, Images
from vae_cli.data.folder_images import FolderImages
from vae_cli.data.folder_parts import find_parts, names_of_folders, with_classes
from vae_cli.data.opened import MOST_PIXELS, SUFFIXES, is_folder, user_path
from vae_cli.data.parts import ThreeParts, three_parts
from vae_cli.data.picture import STACKS, Fit, Header, Look, Picture, read_header
from vae_cli.data.walk import find_images
from vae_cli.errors import InvalidOption
from vae_cli.options import Fraction, NonNegativeInt, PositiveFloat, PositiveInt, checked

# What becomes of a picture whose form is another.
FITTED: Mapping[Fit, str] = {"crop": "cuts", "pad": "adds margins to", "stretch": "distorts"}
PROBED = 20_000  # files whose headers are read where not all have to be


@checked
def load(
    root: str | None = None,
    size: Sequence[PositiveInt] | PositiveInt | None = None,
    fit: Fit = "crop",
    channels: Literal[1, 3] | None = None,
    background: str = "white",
    seed: NonNegativeInt = 0,
    validation: Fraction = 0.1,
    test: Fraction = 0.1,
    memory_limit: PositiveFloat = 2.0,
) -> Dataset:
    """Images of the usual formats, 256 levels, from a folder and the folders below it.

    Sub-folders called ``train``, ``validation`` and ``test`` are the parts
    (``vae_cli.data.folder_parts``); parts that are missing are split from ``train`` by ``seed``.
    Folders below that are the classes, numbered in alphabetic order over all parts; images beside
    them have no label, nor have those in a folder called ``unlabeled`` or ``unlabelled``.

    Pictures are turned upright as their EXIF tag says. Pages of one size in a TIFF file are one
    image each; of an animation the first frame counts.

    Links are followed, also out of the folder. Each folder is read once, however many links lead
    to it, and a link to an image that is already found is left out.

    Args:
        root: The folder.
        size: Height and width, or one number for both, that images are brought to. None where all
            images have one size already.
        fit: How images of another form fit into ``size``: ``crop`` cuts off what lies beyond its
            middle, ``pad`` adds margins of ``background``, ``stretch`` changes the form.
        channels: 1 for grey, 3 for colour; None for colour where any image has some.
        background: Colour behind transparent pixels and of margins, a name or ``#rrggbb``.
        seed: Decides which images are put aside; the same seed, the same parts.
        validation: Fraction of the images put aside for validation.
        test: Fraction of the images put aside for the test.
        memory_limit: GiB of decoded pixels to keep in memory at most. Images of a larger folder
            are decoded anew whenever they are needed.
    """
    folder = _checked_folder(root, size, background)
    root = str(root)
    folders = find_parts(root, folder)
    files = find_images(root, folders.parts)
    found = {part: with_classes(folders.parts[part], p) for part, p in files.images.items()}
    if empty := [part for part, paths in found.items() if not paths]:
        rule = "holds no images" + (f" for {', '.join(empty)}" if len(found) > 1 else "")
        raise InvalidOption("root", root, rule, f"They end in {', '.join(sorted(SUFFIXES))}.")
    classes = names_of_folders(root, list(found.values()))

    headers = _headers(root, [path for part in found.values() for path in part], size is None)
    height, width = _common_size(root, headers) if size is None else np.broadcast_to(size, 2)
    is_grey = all(header.is_grey for header in headers.values())
    shape = Size([channels or (1 if is_grey else 3), int(height), int(width)])
    if shape[1] * shape[2] > MOST_PIXELS:
        rule = f"needs no more than {MOST_PIXELS:,} pixels"
        raise InvalidOption("size", list(shape[1:]), rule, "Try {size}=64.")

    numbers = {name: number for number, name in enumerate(classes)} | {"": -1}
    look = Look(background, fit)
    given: dict[str, FolderImages] = {}
    for part, names in found.items():
        pictures = {p: numbers[names[p.path]] for path in names for p in _pages(path, headers)}
        labels = torch.tensor(list(pictures.values()))
        given[part] = FolderImages(root, folder, list(pictures), labels, shape, look)
    count = sum(map(len, given.values()))
    parts = three_parts(given, {"validation": validation, "test": test}, seed)
    is_small = count * shape.numel() <= memory_limit * 2**30
    kept: ThreeParts[Images] = parts.with_each(FolderImages.decoded if is_small else _as_it_is)
    notes = [
        *_describe_headers(headers, channels, background),
        *_describe_left_out(files.left_out),
        *folders.notes,
    ]
    reading = ["whole numbers", *_describe_fit(headers, shape, fit)]
    return Dataset(
        kept.train, kept.validation, kept.test, 256, classes, kept.pooled, notes, reading
    )


def _as_it_is(images: FolderImages) -> Images:
    return images


def _checked_folder(root: str | None, size: Sequence[int] | int | None, background: str) -> Path:
    """The folder, once what the user chose is possible."""
    if root is None:
        rule = "needs a folder of images"
        raise InvalidOption("root", None, rule, "Try {root}=my_images.")
    if isinstance(size, Sequence) and len(size) != 2:
        rule = "needs height and width, or one number for both"
        raise InvalidOption("size", list(size), rule, "Try {size}=[64,48].")
    try:
        ImageColor.getrgb(background)
    except ValueError as error:
        rule = "is not the name of a colour"
        raise InvalidOption("background", background, rule, "Try black or white.") from error
    folder = user_path("root", root)
    if not is_folder(folder):
        rule = "is not a folder that can be entered"
        raise InvalidOption("root", root, rule, f"Paths are relative to {Path.cwd()}.")
    return folder


def _headers(root: str, paths: Sequence[Path], all_of_them: bool) -> dict[Path, Header]:
    """Headers of the files: of all, or else of some spread over them, and of all stacks."""
    step = 1 if all_of_them else -(-len(paths) // PROBED)
    probed = [p for i, p in enumerate(paths) if i % step == 0 or p.suffix.lower() in STACKS]
    with ThreadPoolExecutor() as pool:
        return dict(zip(probed, pool.map(partial(read_header, root), probed), strict=True))


def _pages(path: Path, headers: Mapping[Path, Header]) -> list[Picture]:
    pages = headers[path].pages if path in headers else 1
    return [Picture(path)] if pages == 1 else [Picture(path, page) for page in range(pages)]


def _common_size(root: str, headers: Mapping[Path, Header]) -> tuple[int, int]:
    """Height and width of all images."""
    first = next(iter(headers))
    for path, header in headers.items():
        if header.size != headers[first].size:
            rule = f"needs images of one size, but {first} is {headers[first].size} and {path} is "
            remedy = "Try {size}=64, which resizes all."
            raise InvalidOption("root", root, f"{rule}{header.size}", remedy)
    return headers[first].size


def _describe_headers(
    headers: Mapping[Path, Header], channels: int | None, background: str
) -> list[str]:
    """What was decided about pictures that are not all alike, and how to decide otherwise."""
    count, every = len(headers), headers.values()
    grey, transparent = sum(h.is_grey for h in every), sum(h.is_transparent for h in every)
    stacks, animated = [h.pages for h in every if h.pages > 1], sum(h.frames > 1 for h in every)
    notes = {
        f"{grey} of {count} pictures are grey and the others have colours: all are read in colour; "
        "data.channels=1 reads all as grey": channels is None and 0 < grey < count,
        f"{transparent} of {count} pictures are transparent: they are put on {background} "
        "(data.background)": transparent > 0,
        f"{len(stacks)} files are stacks: each of their {sum(stacks)} pages is an image": stacks,
        f"{animated} files have several frames: the first one is read": animated,
    }
    return [note for note, applies in notes.items() if applies]


def _describe_fit(headers: Mapping[Path, Header], shape: Size, fit: Fit) -> list[str]:
    """How pictures of another size are brought to that of all."""
    height, width = shape[1:]
    sizes = [header.size for header in headers.values()]
    if all(size == (height, width) for size in sizes):
        return []
    other = sum(h * width != w * height for h, w in sizes)
    share = f"{other} of {len(sizes)}" if other else "none"
    return [f"fitted by {fit} ({FITTED[fit]} {share})"]


def _describe_left_out(left_out: Counter[str]) -> list[str]:
    """A note about files that may be images of another format."""
    kinds = [f"{count} files that end in {suffix}" for suffix, count in left_out.most_common(5)]
    return [f"left out: {', '.join(kinds)}; convert images to PNG or JPEG"] if kinds else []
