"""How a run's pictures changed as it trained, out of its event files."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from vae_cli.figure.base import captioned
from vae_cli.run.events import read_events
from vae_cli.training.pictures import TAG


def frames_of(folder: Path, name: str) -> list[np.ndarray]:
    """What TensorBoard was given of a figure, first to last.

    Args:
        folder: Of the run.
        name: Of the figure.

    Returns:
        Frames of one size, ``(H, W, 3)``, uint8, the step written above each; none where the run
        has logged none.
    """
    events = read_events(folder, "images")
    if events is None or TAG + name not in events.Tags()["images"]:
        return []
    found = {event.step: event.encoded_image_string for event in events.Images(TAG + name)}
    frames = [_captioned(content, f"step {step:,}") for step, content in sorted(found.items())]
    # A run that went on with other settings of the figure may have changed its size.
    return [frame for frame in frames if frame.shape == frames[-1].shape]


def _captioned(content: bytes, caption: str) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        return captioned(np.asarray(image.convert("RGB")), caption)
