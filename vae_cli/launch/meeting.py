"""What a run's processes say to each other before torch's process group is there."""

import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vae_cli.errors import ConfigError, Interrupted, VaeCliError
from vae_cli.launch.launch import Launch
from vae_cli.launch.server import BRIEF, PAUSE, UNSET, WaitNotice, address_of_first, wait_for_server

PATIENCE = 900.0  # seconds for all to come, and for each to load its data
GRACE = 60.0  # seconds for a folder to be seen on other nodes
LINGER = 10.0  # seconds for the reason of a run's end to arrive


class Meeting:
    """Where processes that somebody else has started learn the folder of their run; a context.

    The first one decides, and does so before the others look: what is there when they start
    is not theirs to interpret. A mistake of any of them is the mistake of all, and the first one
    tells it. The words go through the store that torch's group will use in a moment: torchrun's, or
    one that the first process serves at MASTER_ADDR and MASTER_PORT. It lives no longer than the
    launch, so nothing in it is of an earlier one; no file says which folder is whose.

    A process that is alone, or started by Lightning within a run, has nobody to meet.

    Attributes:
        is_second: Whether this process hears from the first one.
    """

    def __init__(self) -> None:
        self.is_second = False
        self._is_first = False
        self._serves = False
        self._size = 2  # at least, where there are others
        self._store: Any = None
        self._has_begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            return
        if isinstance(error, (KeyboardInterrupt, Interrupted)):
            self._spread("stopped", "stopped before it began")
        else:
            self._spread("mistake", str(error))

    @property
    def has_others(self) -> bool:
        """Whether somebody else has started other processes of the run."""
        return self._store is not None

    def stop(self) -> None:
        """Before this process ends from one moment to the next: the others hear that it stops."""
        self._spread("stopped", "stopped before it began")
        self.leave(Interrupted.exit_code)

    def _spread(self, word: str, text: str) -> None:
        """Lets the first process know, before all have begun, why this one cannot."""
        if self.is_second and not self._has_begun:
            with suppress(VaeCliError):
                self._say(word, f"{platform.node()}: {text}")

    def join(self, launch: Launch, patience: float = PATIENCE) -> None:
        """Takes part, where there are others.

        Args:
            launch: How this process was started.
            patience: Seconds for the first process to answer.

        Raises:
            ConfigError: If the first process is not to be found.
        """
        self._size, self._is_first = launch.size or self._size, launch.is_first
        if launch.may_have_others:
            self._connect(launch.by, patience)

    def call(self, size: int, resumed: str) -> None:
        """The first process tells what the run is, and waits until all others can do it, too.

        Args:
            size: Number of processes that meet.
            resumed: Folder of the run to resume, empty for a new one.

        Raises:
            VaeCliError: If another process can't, or did not come.
        """
        self._size = size
        if size == 1 or not self._is_first:
            return
        self._say("resumed", resumed and str(Path(resumed).absolute()))
        self._wait_for_all("here", PATIENCE)
        self._wait_for_all("ready", PATIENCE)

    def resumed(self) -> str:
        """For the others: what the first process sent by ``call``."""
        return self._hear("resumed")

    def folder(self) -> str:
        """For the others: says that they can do the run, and waits for its folder.

        Raises:
            VaeCliError: If the first process can't make or hold it.
        """
        self._count("ready", 1)
        return self._hear("folder")

    def begin(self, folder: Path) -> None:
        """All continue together once the first process holds the folder and the others see it.

        Raises:
            VaeCliError: If one does not see it.
        """
        if self.is_second:
            until = time.monotonic() + GRACE  # a file system of many machines takes its time
            while not folder.is_dir():
                if time.monotonic() > until:
                    raise VaeCliError(f"{folder}: is not there. All nodes need to see one folder.")
                time.sleep(PAUSE)
            self._count("seen", 1)
        elif self._store is not None:
            self._say("folder", str(folder.absolute()))
            self._wait_for_all("seen", PATIENCE)
        self._has_begun = True

    def leave(self, code: int) -> None:
        """Before this process ends: the first one says why, the others wait until it has.

        A launcher kills all processes once one has failed, so the first has to be heard before.
        Its signal must not end this process meanwhile: see ``Signals``.

        Args:
            code: The exit code; nobody waits where it is 0.
        """
        if self._store is None or code == 0:
            return
        with suppress(VaeCliError):
            if self.is_second:
                self._wait_for("over", LINGER)
                self._count("left", 1)
            else:
                self._say("over", str(code))
                if self._serves:  # else they would come and find nobody
                    self._wait_for_all("left", LINGER)

    def _connect(self, by: str, patience: float) -> None:
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # it logs a loss with its stack
        from torch.distributed import PrefixStore, TCPStore

        host, port = address_of_first(by)
        uses_agents = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
        self._serves = self._is_first and not uses_agents
        if not self._serves:
            # torchrun's own agent serves before it starts any process.
            wait_for_server(host, port, min(patience, BRIEF) if uses_agents else patience)
        try:  # multi-tenant: torch's own store will be the same
            store = TCPStore(
                host, port, is_master=self._serves, wait_for_workers=False, multi_tenant=True
            )
        except (RuntimeError, ValueError) as error:
            rule = f"can't be served or reached at {host}"
            remedy = "Set MASTER_ADDR to the first node, and MASTER_PORT to a free port of it."
            raise ConfigError("MASTER_PORT", port, rule, remedy) from error
        attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        self._store = PrefixStore(f"vae_cli/{attempt}", store)
        self.is_second = not self._is_first
        if self.is_second:
            self._count("here", 1)

    def _hear(self, key: str) -> str:
        self._wait_for(key)  # the first one may have to fetch its data: as long as it lives
        if not self._has(key):
            code = int(self._store.get("over").decode())
            error = Interrupted if code == Interrupted.exit_code else VaeCliError
            raise error("the first process has ended")
        return self._store.get(key).decode()

    def _wait_for(self, key: str, patience: float | None = None) -> None:
        """Until a message arrives, or the first process has ended."""
        until = None if patience is None else time.monotonic() + patience
        while not (self._has(key) or self._has("over")):
            if until is not None and time.monotonic() > until:
                return
            time.sleep(PAUSE)  # and not in the store, where no signal would be heard

    def _wait_for_all(self, key: str, patience: float) -> None:
        until, others = time.monotonic() + patience, self._size - 1
        awaited = f"waiting for {others} other process(es)"
        notice = WaitNotice(f"{awaited}. For a run without them: {UNSET}.")
        while (count := self._count(key)) < others:
            if key == "here":
                notice.print()
            for word, kind in (("mistake", VaeCliError), ("stopped", Interrupted)):
                if key != "left" and self._has(word):
                    raise kind(self._store.get(word).decode())
            if time.monotonic() > until:
                rule = f"{count + 1} of {self._size} processes joined within {patience:.0f} s"
                raise VaeCliError(f"{rule}. Start them by torchrun or srun: docs/devices.md.")
            time.sleep(PAUSE)

    def _say(self, key: str, word: str) -> None:
        with _telling_of_loss():
            self._store.set(key, word)

    def _has(self, key: str) -> bool:
        with _telling_of_loss():
            return self._store.check([key])

    def _count(self, key: str, more: int = 0) -> int:
        with _telling_of_loss():
            return self._store.add(key, more)


@contextmanager
def _telling_of_loss() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise VaeCliError("the first process of the run has ended") from error
