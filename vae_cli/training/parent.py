"""A run that another command has started stops when that command has died."""

import os
import signal
import time
from _thread import start_new_thread

from vae_cli.training.signals import Signals

PARENT = "VAE_CLI_PARENT"  # tells a process which one has started it
LOOK = 0.5  # seconds between two looks
LINGER = 10.0  # seconds in which a process can find out itself that others have ended


def follow_parent(signals: Signals, is_rank: bool) -> None:
    """Asks this process to stop once the one that has started it is gone.

    Whoever kills that one with ``kill -9`` does not know of the others. Variables say which one it
    is, as it may be gone before this process can look.

    Args:
        signals: Of this process.
        is_rank: Whether both are processes of one run: then this one cannot save without the other,
            and ends even if it waits for it.
    """
    parent = os.environ.pop(PARENT, "")  # not for processes that this one starts
    if parent.isdecimal() and signals.is_in_use:
        start_new_thread(_follow, (int(parent), signals, is_rank))


def _follow(parent: int, signals: Signals, is_rank: bool) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
        if not signals.is_in_use:
            return
    os.kill(os.getpid(), signal.SIGTERM)
    if is_rank:
        time.sleep(LINGER)
        signals.end("", signals.exit_code)
