"""Pictures of trained models as files."""

import io
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

import numpy as np
from omegaconf import DictConfig
from PIL import Image

from vae_cli.config.construct import option_of
from vae_cli.errors import ConfigError
from vae_cli.figure.base import Drawing, Figure, Inapplicable, draw
from vae_cli.figure.signed import frame_with, save_with
from vae_cli.figure.together import together
from vae_cli.files import UnsafeFile, open_regular, read_bytes
from vae_cli.folders import replaced
from vae_cli.run.folder import RunFolder
from vae_cli.run.history import frames_of
from vae_cli.run.images import shown_images
from vae_cli.run.png import CHECKPOINT
from vae_cli.run.recorded import Note
from vae_cli.run.short_names import short_names
from vae_cli.run.subject import Subject

About = Mapping[str, str]  # texts that a file keeps by name
Writer = Callable[[Drawing, BinaryIO, str, About], None]

CREATOR = "vae-sample"  # what a picture says that made it, where its format has room for that
LARGEST = 1 << 26  # bytes of a picture that is looked through

FRAME_SECONDS = 0.1
HOLD = 8  # times as long: the first and the last frame of an animation


def draw_all(subject: Subject, figures: Mapping[str, Figure], seed: int) -> dict[str, Drawing]:
    """The pictures, by name.

    Raises:
        ConfigError: If one of them can't be drawn of this model; before anything is written.
    """
    split, drawings = subject.splits[subject.measured], {}
    for name, figure in figures.items():
        try:
            drawings[name] = draw(name, figure, subject.model, split, seed)
        except Inapplicable as reason:
            remedy = reason.remedy or "Leave it out."
            key = f"figure.{name}.{reason.option}" if reason.option else "what"
            value = reason.value if reason.option else name
            raise ConfigError(key, value, str(reason), remedy) from reason
    return drawings


def draw_together(
    subjects: Sequence[Subject], figures: Mapping[str, Figure], seed: int
) -> dict[str, Drawing]:
    """The pictures, by name, each of all runs.

    Args:
        subjects: One at least.
        figures: By name.
        seed: Of what is random.

    Raises:
        ConfigError: If one can't be drawn of one of the runs, or of their different images.
    """
    first, names = subjects[0], names_of(subjects)
    drawn = [draw_all(first, figures, seed)]
    for other in subjects[1:]:
        _check_images(first, other, figures)
        try:
            drawn.append(draw_all(other, figures, seed))
        except ConfigError as error:
            what = f" ({error.key}={error.value})" if error.key != "what" else f" ({error.value})"
            raise ConfigError("run", other.folder.path, error.rule + what, error.remedy) from error
    if len(subjects) == 1:
        return drawn[0]
    found = {}
    for name in figures:
        try:
            found[name] = together(names, [each[name] for each in drawn])
        except Inapplicable as reason:
            rule = f"{name} of these runs don't go into one picture: one {reason}"
            value = ",".join(str(each.folder.path) for each in subjects)
            raise ConfigError("run", value, rule, "Draw them one by one.") from reason
    return found


def names_of(subjects: Sequence[Subject]) -> list[str]:
    """Short names of runs, in their order."""
    paths = [str(subject.folder.path) for subject in subjects]
    short = short_names(paths)
    return [short[path] for path in paths]


def _check_images(first: Subject, other: Subject, figures: Mapping[str, Figure]) -> None:
    """Checks that two runs show the same images, where pictures need any."""
    if not any(each.needs_images(first.model) for each in figures.values()):
        return
    if shown_images(first.splits[first.measured]) != shown_images(other.splits[other.measured]):
        rule = f"has other {other.measured} images than {first.folder.path}"
        remedy = "Draw them one by one, or give both the same: data.root= or data.path=."
        raise ConfigError("run", other.folder.path, rule, remedy)


def caption(runs: Sequence[tuple[DictConfig, RunFolder]]) -> str:
    """What a picture says of where it is from: the dataset, and the runs.

    Args:
        runs: The configuration and the folder of each.
    """
    configs = [config for config, _ in runs]
    datasets = dict.fromkeys(option_of(config.data) for config in configs)
    folders = ["/".join(folder.path.resolve().parts[-2:]) for _, folder in runs]
    return f"data: {', '.join(datasets)}; run: {', '.join(folders)}"


def in_motion(drawings: Mapping[str, Drawing], folder: Path, note: Note) -> dict[str, Drawing]:
    """The pictures with frames; a picture without frames shows the progress of training.

    Args:
        drawings: By name.
        folder: Of the run.
        note: Takes what can't be read of it, and why.

    Raises:
        ConfigError: If one of them has no frames.
    """
    moving = {}
    for name, drawing in drawings.items():
        frames = drawing.frames or frames_of(folder, name, note)
        if not frames:
            rule = f"{name} has no frames, and the run has logged no pictures of it"
            remedy = "Try what=traversals, or format=png."
            raise ConfigError("format", "gif", rule, remedy)
        moving[name] = drawing._replace(frames=frames)
    return moving


def write_picture(drawing: Drawing, path: Path, words: str, checkpoint: str | None = None) -> None:
    """Writes a picture, its numbers or its animation, as the path's suffix says.

    Args:
        drawing: The picture.
        path: Of the file.
        words: Below the picture, see ``caption``.
        checkpoint: SHA-256 of the model's, which a ``png`` keeps.
    """
    about = {CHECKPOINT: checkpoint} if checkpoint else {}
    with replaced(path) as file:
        _WRITERS[path.suffix](drawing, file, words, about)


def _write_npz(drawing: Drawing, file: BinaryIO, words: str, about: About) -> None:
    np.savez(file, **drawing.arrays)  # type: ignore[arg-type]  # the stubs take it for an option


def _write_gif(drawing: Drawing, file: BinaryIO, words: str, about: About) -> None:
    first, *others = [Image.fromarray(frame_with(frame, words)) for frame in drawing.frames]
    inner = [int(1000 * FRAME_SECONDS)] * max(len(others) - 1, 0)
    ends = int(1000 * FRAME_SECONDS * HOLD)
    durations = [ends, *inner, *([ends] if others else [])]
    content = io.BytesIO()  # Pillow does not say that a disk is full
    first.save(content, "GIF", save_all=True, append_images=others, duration=durations, loop=0,
               comment=CREATOR)  # fmt: skip
    file.write(content.getbuffer())


def _write_png(drawing: Drawing, file: BinaryIO, words: str, about: About) -> None:
    save_with(drawing.canvas, file, "png", words, about)


def _saved_as(kind: str) -> Writer:
    return lambda drawing, file, words, about: save_with(
        drawing.canvas, file, kind, words, {"Creator": CREATOR}
    )


def is_picture(path: Path, arrays: Collection[str]) -> bool:
    """Whether a file is an earlier picture of ours, or such arrays of one."""
    try:
        if path.suffix == ".npz":
            with open_regular(path) as file, ZipFile(file) as archive:
                return {*archive.namelist()} == {f"{name}.npy" for name in arrays}
        content = read_bytes(path, LARGEST)
    except (UnsafeFile, BadZipFile, OSError):
        return False
    return CHECKPOINT.encode() in content or CREATOR.encode() in content


_WRITERS: dict[str, Writer] = {
    ".png": _write_png,
    ".svg": _saved_as("svg"),
    ".pdf": _saved_as("pdf"),
    ".npz": _write_npz,
    ".gif": _write_gif,
}
