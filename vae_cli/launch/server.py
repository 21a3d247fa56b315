"""Where the first process of a run is found, and how long others look for it."""

import math
import os
import socket
import sys
import time

from vae_cli.errors import ConfigError

BRIEF = 5.0  # seconds for a first process that has to be there already
NOTICE = 10.0  # seconds after which a process says what it waits for
UNSET = "unset TORCHELASTIC_RUN_ID SLURM_NTASKS LOCAL_RANK NODE_RANK"
PAUSE = 0.05  # seconds between two looks


class WaitNotice:
    """A line about what a process waits for, printed once if that takes long.

    Args:
        text: The note.
    """

    def __init__(self, text: str) -> None:
        self.text, self.at = text, time.monotonic() + NOTICE

    def print(self) -> None:
        """Prints the note if it is time to."""
        if time.monotonic() > self.at:
            print(f"vae-train: {self.text}", file=sys.stderr, flush=True)
            self.at = math.inf


def address_of_first(by: str) -> tuple[str, int]:
    """Host and port of the store, where Lightning will look for it.

    Args:
        by: What has started the processes, see ``Launch``.

    Raises:
        ConfigError: If the port is not one.
    """
    if by == "srun":
        from lightning_fabric.plugins.environments import SLURMEnvironment

        slurm = SLURMEnvironment()
        return slurm.main_address, slurm.main_port
    text = os.environ["MASTER_PORT"]
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 1 << 16):
        raise ConfigError("MASTER_PORT", text, "needs the number of a port", "Try 29500.")
    return os.environ.get("MASTER_ADDR", "127.0.0.1"), int(text)


def wait_for_server(host: str, port: int, patience: float) -> None:
    """Waits until somebody answers at an address.

    Args:
        host, port: The address.
        patience: Seconds to wait at most.

    Raises:
        ConfigError: If nobody does.
    """
    until = time.monotonic() + patience
    remedy = f"Start it there, with the same settings. For a run without others: {UNSET}."
    notice = WaitNotice(f"waiting for the first process at {host}:{port}. {remedy}")
    while True:
        notice.print()
        try:
            socket.create_connection((host, port), timeout=5).close()
            return
        except OSError as error:
            if time.monotonic() > until:
                rule = f"there was no answer within {patience:.0f} s ({error.strerror or error})"
                raise ConfigError("MASTER_ADDR", f"{host}:{port}", rule, remedy) from error
        time.sleep(PAUSE)
