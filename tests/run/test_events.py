"""Event files that somebody has prepared."""

import io
import struct
from pathlib import Path

import pytest
from PIL import Image
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary

from vae_cli.run.events import scalars
from vae_cli.run.history import frames_of
from vae_cli.training.pictures import TAG


def framed(event: Event) -> bytes:
    """An event as a file has it; the checksums are not read."""
    content = event.SerializeToString()
    return struct.pack("<QI", len(content), 0) + content + bytes(4)


def point(step: int, value: float) -> bytes:
    """A point of a curve."""
    summary = Summary(value=[Summary.Value(tag="loss", simple_value=value)])
    return framed(Event(step=step, summary=summary))


def picture(step: int, content: bytes) -> bytes:
    """A picture of the figure ``samples``."""
    image = Summary.Image(encoded_image_string=content)
    summary = Summary(value=[Summary.Value(tag=f"{TAG}samples", image=image)])
    return framed(Event(step=step, summary=summary))


def drawn(width: int, height: int, kind: str = "PNG") -> bytes:
    """A picture's file."""
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, kind)
    return file.getvalue()


def points_of(folder: Path, *contents: bytes) -> tuple[list[tuple[int, float]], list[str]]:
    """The points of files with such contents, and the notes."""
    notes: list[str] = []
    for number, content in enumerate(contents):
        (folder / f"events.out.tfevents.{number}").write_bytes(content)
    return [(step, value) for _, step, value in scalars(folder, notes.append)], notes


def test_points_before_what_is_damaged_count(tmp_path: Path) -> None:
    damaged = struct.pack("<QI", 4, 0) + b"\xff" * 8
    found, notes = points_of(tmp_path, point(1, 0.5) + damaged + point(2, 0.5), point(3, 0.25))
    assert found == [(1, 0.5), (3, 0.25)]
    assert len(notes) == 1 and "events.out.tfevents.0 is damaged" in notes[0]


def test_a_record_that_is_being_written_is_no_damage(tmp_path: Path) -> None:
    found, notes = points_of(tmp_path, point(1, 0.5) + point(2, 0.5)[:-6])
    assert (found, notes) == ([(1, 0.5)], [])


def test_what_a_resumed_run_takes_back_is_gone(tmp_path: Path) -> None:
    start = framed(Event(step=2, session_log=SessionLog(status=SessionLog.START)))
    found, _ = points_of(tmp_path, point(1, 0.5) + point(2, 0.5) + point(3, 9), start + point(2, 2))
    assert found == [(1, 0.5), (2, 2.0)]


def test_what_is_no_number_and_no_step_is_no_point(tmp_path: Path) -> None:
    wrong = point(1, float("nan")) + point(2, float("inf")) + point(-1, 0.5) + point(1 << 60, 0.5)
    assert points_of(tmp_path, wrong + point(3, 0.5)) == ([(3, 0.5)], [])


@pytest.mark.parametrize(
    "content",
    [
        b"", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\x89PNG\r\n\x1a\nno more", drawn(8, 8, "GIF"),
        drawn(8, 8, "TIFF"), drawn(1, 60), drawn(4000, 1), drawn(8, 8)[:-30],
    ],
    ids=["none", "EPS", "PNG's head", "GIF", "TIFF", "tall", "wide", "cut"],
)  # fmt: skip
def test_a_frame_is_a_small_png_or_none(content: bytes, tmp_path: Path) -> None:
    notes: list[str] = []
    frames = picture(1, drawn(8, 8)) + picture(20, content) + picture(300, drawn(8, 8))
    (tmp_path / "events.out.tfevents.1").write_bytes(frames)
    assert len(frames_of(tmp_path, "samples", notes.append)) == 2
    assert len(notes) == 1 and notes[0].startswith("samples of step 20 ")
