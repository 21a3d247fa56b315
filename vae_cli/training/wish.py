"""What a signal asks of a run."""

import enum
import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Wish(enum.IntEnum):
    """What is asked for; of several wishes the largest counts."""

    NONE = 0
    SAVE = 1
    STOP = 2


# Of those that the system has: Slurm sends SIGTERM or what --signal says, Kubernetes SIGTERM.
WISHES = {
    getattr(signal, name): wish
    for name, wish in {
        "SIGTERM": Wish.STOP,
        "SIGINT": Wish.STOP,
        "SIGUSR1": Wish.STOP,
        "SIGUSR2": Wish.SAVE,
    }.items()
    if hasattr(signal, name)
}


@contextmanager
def held_back() -> Iterator[None]:
    """Holds signals back from processes that are started here, until they receive signals."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, WISHES)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
