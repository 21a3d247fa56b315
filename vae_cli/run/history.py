"""How a run's pictures changed as it trained, out of its event files."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vae_cli.figure.base import FRAME_WIDTH
from vae_cli.run.events import read_events

STRIP = 24  # pixels above a frame that say its step


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
    if events is None or name not in events.Tags()["images"]:
        return []
    found = {event.step: event.encoded_image_string for event in events.Images(name)}
    frames = [_captioned(content, f"step {step:,}") for step, content in sorted(found.items())]
    # A run that went on with other settings of the figure may have changed its size.
    return [frame for frame in frames if frame.shape == frames[-1].shape]


def _captioned(content: bytes, text: str) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        scale = max(1, round(FRAME_WIDTH / image.width))
        size = (image.width * scale, image.height * scale)
        enlarged = image.convert("RGB").resize(size, Image.Resampling.NEAREST)
    frame = Image.new("RGB", (size[0], size[1] + STRIP), "white")
    frame.paste(enlarged, (0, STRIP))
    font = ImageFont.load_default(size=STRIP * 2 / 3)
    ImageDraw.Draw(frame).text((STRIP / 4, STRIP / 8), text, "black", font)
    return np.asarray(frame)
