"""How a run's pictures changed as it trained, out of its event files."""

from pathlib import Path

import numpy as np

from vae_cli.figure.sheet import captioned
from vae_cli.files import UnsafeFile
from vae_cli.run.events import pictures
from vae_cli.run.png import opened_png
from vae_cli.run.recorded import Note
from vae_cli.training.pictures import TAG

FRAMES = 100  # at most, the last ones: a run logs about 20
SIDE = 2048  # pixels of a frame, at most
TALL = 8  # times as high as wide, at most: it is enlarged to the width of an animation


def frames_of(folder: Path, name: str, note: Note) -> list[np.ndarray]:
    """What TensorBoard was given of a figure, first to last.

    Args:
        folder: Of the run.
        name: Of the figure.
        note: Takes what can't be read, and why.

    Returns:
        Frames of one size, ``(H, W, 3)``, uint8, the step written above each; none where the run
        has logged none.
    """
    frames = []
    for step, content in [*pictures(folder, TAG + name, note).items()][-FRAMES:]:
        try:
            frames.append(captioned(_decoded(content), f"step {step:,}"))
        except UnsafeFile as error:
            note(f"{name} of step {step:,} {error}: left out")
    # A run that went on with other settings of the figure may have changed its size.
    return [frame for frame in frames if frame.shape == frames[-1].shape]


def _decoded(content: bytes) -> np.ndarray:
    """The pixels of a PNG, ``(H, W, 3)``, uint8."""
    with opened_png(content) as image:
        if max(image.size) > SIDE or image.height > TALL * image.width:
            raise UnsafeFile(f"has {image.width:,} x {image.height:,} pixels")
        return np.asarray(image.convert("RGB"))
