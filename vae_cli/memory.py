"""How much memory there is, and the message when something does not fit."""

import os
from contextlib import suppress
from pathlib import Path

# What torch says of a tensor whose bytes no whole number of a processor counts.
OVERFLOWS = ("Storage size calculation overflowed", "Overflow when unpacking", "numel: integer")
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container, in bytes, or "max"


def machine_memory() -> int:
    """Bytes that this process could have at most: the machine's, or its container's."""
    found = [1 << 62]  # where nothing can be found out, nothing is refused
    with suppress(AttributeError, OSError, ValueError):  # no sysconf, or not of that name
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(OSError, ValueError):
        found.append(int(CGROUP_LIMIT.read_text(encoding="ascii")))
    return min(found)


def as_bytes(count: float) -> str:
    """Bytes for people: ``23.4 GiB``."""
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if count < 1024:
            return f"{count:.4g} {unit}"
        count /= 1024
    return f"{count:.4g} PiB"


# In an exception of torch's: that a tensor is larger than memory, or than a number of bytes.
TOO_LARGE = ("can't allocate memory", "out of memory", *OVERFLOWS)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that there was not enough memory.

    Python and numpy have a class for it, torch has one on GPUs alone.
    """
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in TOO_LARGE)
    )


def is_overflow(error: BaseException | None) -> bool:
    """Whether an exception, or the one that it comes from, says that a size has no number."""
    seen: list[BaseException] = []  # one that is raised again may come from what it caused
    while error is not None and error not in seen:
        if any(words in str(error) for words in OVERFLOWS):
            return True
        seen.append(error)
        error = error.__cause__
    return False
