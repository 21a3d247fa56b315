"""Pictures of a run, which anybody may have put there."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, cast

from vae_cli.files import UnsafeFile

if TYPE_CHECKING:
    from PIL import Image

CHECKPOINT = "checkpoint_sha256"  # the text of a file that says whose picture it is
SIDE = 8192  # pixels, at most
PIXELS = 1 << 25  # at most


def checkpoint_of_png(content: bytes) -> str | None:
    """The SHA-256 of the checkpoint that a PNG is of; None where it does not say, or is damaged."""
    with suppress(UnsafeFile), opened_png(content) as image:
        return cast(str | None, image.info.get(CHECKPOINT))
    return None


@contextmanager
def opened_png(content: bytes) -> Iterator["Image.Image"]:
    """A PNG of a size that can be shown; errors in it are raised as what they are.

    Raises:
        UnsafeFile: If it is no PNG, damaged or larger: a clause without a subject.
    """
    from PIL import Image

    try:
        # Pillow finds the format in the content, and some formats start programs.
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if max(image.size) > SIDE or image.width * image.height > PIXELS:
                raise UnsafeFile(f"has {image.width:,} x {image.height:,} pixels")
            yield image
    except UnsafeFile:
        raise
    except Exception as error:  # Pillow raises whatever the damage leads to
        raise UnsafeFile("is not a PNG that can be read") from error
