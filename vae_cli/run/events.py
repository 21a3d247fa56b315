"""TensorBoard's event files, read: nothing that one declares is taken at its word.

TensorBoard's own reader waits for ever at a pipe, follows links, and allocates what a record says
that it takes.
"""

import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from vae_cli.files import UnsafeFile, open_regular
from vae_cli.run.recorded import Note, is_number

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

T = TypeVar("T")

FILES = "events.out.tfevents.*"
LARGEST = 1 << 28  # bytes of a file; one of a long run with pictures takes 20 million
LARGEST_RECORD = 1 << 23  # bytes; a picture takes 100,000, and larger ones are passed over
HEAD, FOOT = 12, 4  # bytes around a record: its length and two checksums
MOST_STEPS = 1 << 53  # a step, beyond which the axis of a curve could not tell two apart


def scalars(folder: Path, note: Note) -> Iterator[tuple[str, int, float]]:
    """The points of a run's curves: name, step and value, in the order in which they were written.

    Args:
        folder: Of the run.
        note: Takes what can't be read, and why.
    """

    def point(value: "Summary.Value") -> tuple[str, float] | None:
        is_shown = value.HasField("simple_value") and is_number(value.simple_value)
        return (value.tag, value.simple_value) if is_shown else None

    for step, (tag, value) in _values(folder, note, point):
        yield tag, step, value


def pictures(folder: Path, tag: str, note: Note) -> dict[int, bytes]:
    """The files of one tag's pictures, by step, growing; of one step the last.

    Args:
        folder: Of the run.
        tag: Of the pictures.
        note: Takes what can't be read, and why.
    """

    def content(value: "Summary.Value") -> bytes | None:
        is_wanted = value.tag == tag and value.HasField("image")
        return value.image.encoded_image_string if is_wanted else None

    return dict(sorted(_values(folder, note, content)))


def _values(
    folder: Path, note: Note, pick: "Callable[[Summary.Value], T | None]"
) -> "list[tuple[int, T]]":
    """What is picked of all files with its steps, without what a resumed run takes back.

    Args:
        folder, note: As for ``scalars``.
        pick: What to keep of a value; None for nothing.
    """
    kept: list[tuple[int, T]] = []
    for path in sorted(folder.glob(FILES)):
        try:
            with open_regular(path) as file:
                for event in _events(file, path.name):
                    if event.session_log.status == event.session_log.START:
                        kept = [pair for pair in kept if pair[0] < event.step]
                    if 0 <= event.step < MOST_STEPS:
                        found = [pick(value) for value in event.summary.value]
                        kept += [(event.step, each) for each in found if each is not None]
        except OSError as error:
            note(f"{path.name} cannot be read ({error.strerror}): left out")
        except UnsafeFile as error:
            note(f"{error}: left out")
    return kept


def _events(file: BinaryIO, name: str) -> "Iterator[Event]":
    """The records of a file up to its end, which may be missing while a run writes it.

    Raises:
        UnsafeFile: If it is larger than any, or holds something else.
    """
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto.event_pb2 import Event

    size = os.fstat(file.fileno()).st_size
    if size > LARGEST:
        raise UnsafeFile(f"{name} has more than {LARGEST:,} bytes")
    place = 0
    while place + HEAD + FOOT <= size:
        (length,) = struct.unpack_from("<Q", file.read(HEAD))
        place += HEAD + length + FOOT
        if length > LARGEST:
            raise UnsafeFile(f"{name} holds no events")
        if place > size:
            return
        if length > LARGEST_RECORD:
            file.seek(place)
            continue
        content = file.read(length + FOOT)[:length]
        try:
            yield Event.FromString(content)
        except DecodeError as error:
            raise UnsafeFile(f"{name} is damaged before byte {place:,}") from error
