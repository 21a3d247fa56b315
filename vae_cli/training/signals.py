"""What a scheduler or a user asks of a run by a signal, agreed on by all its processes."""

import _thread
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self

from vae_cli.errors import Interrupted
from vae_cli.training.wish import WISHES, Wish

if TYPE_CHECKING:  # the command line is read, and signals are received, before torch is there
    from torch import Tensor

GRACE = 20.0  # seconds in which a process that has to stop can tidy up

_PIPES: set[int] = set()  # of all ``Signals`` that are in use


class Signals:
    """Receives signals; a context, outside of which they mean what they meant before.

    A signal only leaves a wish. It never raises: an exception in the middle of a library can break
    its locks and queues, and the process then hangs. A wish to stop ends the process at once, as a
    kill does but with exit code 75, unless the process has promised by ``defer`` to look for wishes
    itself. Files are whole at any moment, so nothing is lost. A thread sees to the end: it hears
    of signals from the system, even while the main thread is busy in compiled code. Later signals
    are ignored, so that impatience does not spoil the saving.

    Attributes:
        wish: The largest one of this process, so far.
        last_words: Gives the line to print when the process ends; empty for none.
        farewells: What the process still does before it ends.
        exit_code: Of a process that is ended.
    """

    def __init__(self) -> None:
        self.wish = Wish.NONE
        self.last_words: Callable[[], str] = lambda: "stopped before it began"
        self.farewells: list[Callable[[], object]] = []
        self.exit_code = Interrupted.exit_code
        self._patience: float | None = 0.0  # seconds that a wish to stop waits; None: no limit
        self._promised_at = 0.0
        self._before: dict[int, Any] = {}
        self._pipe: int | None = None  # the system writes the numbers of signals into it
        self._group: Any = None
        self._asked: tuple[Tensor, Any] | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # else another one handles them
            source, self._pipe = os.pipe()
            os.set_blocking(self._pipe, False)
            _PIPES.add(self._pipe)
            signal.set_wakeup_fd(self._pipe, warn_on_full_buffer=False)
            _thread.start_new_thread(self._watch, (source,))
            self.install()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, WISHES)  # see ``held_back``
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def release(self) -> None:
        """Gives the signals back to those that had them before."""
        for number, handler in self._before.items():
            # A process that has been asked to stop is about to end: one more signal must not
            # change the exit code by which the scheduler knows what to do.
            stopping = self.wish is Wish.STOP
            signal.signal(number, signal.SIG_IGN if stopping else handler)
        self._before.clear()
        if self._pipe is not None:
            signal.set_wakeup_fd(-1)
            pipe, self._pipe = self._pipe, None
            _wake(pipe)  # and the thread ends
            _PIPES.remove(pipe)
            os.close(pipe)

    @property
    def is_in_use(self) -> bool:
        """Whether this process receives its signals here."""
        return self._pipe is not None

    def install(self) -> None:
        """Takes the signals, also from a library that has taken them since."""
        if self._pipe is not None:
            for number in WISHES:
                self._before.setdefault(number, signal.signal(number, self._receive))

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.wish = max(self.wish, WISHES[signal.Signals(number)])

    def defer(self, seconds: float | None = None) -> None:
        """Promises to look for wishes: a wish to stop no longer ends the process at once.

        Args:
            seconds: That the process has, from now or from the signal on; None: as many as it
                takes.
        """
        self._patience, self._promised_at = seconds, time.monotonic()
        if self._pipe is not None:
            _wake(self._pipe)

    def check(self) -> None:
        """Leaves what is under way if the process is to stop."""
        if self.wish is Wish.STOP:
            self.stop(self.last_words())

    def stop(self, words: str) -> NoReturn:
        """Stops, within seconds even if what has to be tidied up hangs."""
        self.defer(GRACE)
        raise Interrupted(words)

    def stop_at_once(self) -> None:
        """Takes a promise back: from now on a wish to stop ends the process at once.

        Raises:
            Interrupted: If there is such a wish.
        """
        self.check()
        self.defer(0.0)

    def _watch(self, source: int) -> None:
        """Ends the process when it is to stop and does not do so in time; a thread."""
        asked_at: float | None = None
        while True:
            if asked_at is None and self.wish is Wish.STOP:
                asked_at = time.monotonic()
            left = None
            if asked_at is not None and self._patience is not None:
                until = max(asked_at, self._promised_at) + self._patience
                left = max(until - time.monotonic(), 0.0)
            if not select.select([source], [], [], left)[0]:
                self.end(self.last_words(), self.exit_code)
            numbers = os.read(source, 64)
            if self._pipe is None:
                os.close(source)
                return
            # A library may have the handler, or the main thread may be busy.
            if any(WISHES.get(number) is Wish.STOP for number in numbers):
                self.wish = Wish.STOP

    def end(self, words: str, code: int) -> NoReturn:
        """Ends the process where it is, with no regard to locks that its main thread may hold.

        Args:
            words: For the user; none if empty.
            code: The exit code.
        """
        for farewell in self.farewells:
            with suppress(Exception):
                farewell()
        with suppress(OSError, ValueError):
            if words and select.select([], [2], [], 0)[1]:  # nobody may be reading
                os.write(2, f"vae-train: {words}\n".encode(errors="replace"))
        os._exit(code)

    def agreed(self, own: Wish = Wish.NONE) -> Wish:
        """The largest wish of all processes, which have to call this at the same point.

        Args:
            own: What this process wishes for beside what it was sent.
        """
        if not _is_distributed():
            return self._taken(max(self.wish, own))
        wish, work = self._ask(own)
        work.wait()
        return self._taken(Wish(int(wish)))

    def agreed_before(self, own: Wish = Wish.NONE) -> Wish:
        """The largest wish that there was when this was called last: nobody waits for it.

        Among several processes it is known a step later; a single one knows at once.
        """
        if not _is_distributed():
            return self.agreed(own)
        asked, self._asked = self._asked, self._ask(own)
        if asked is None:
            return Wish.NONE
        wish, work = asked
        work.wait()
        return self._taken(Wish(int(wish)))

    def _ask(self, own: Wish) -> tuple["Tensor", Any]:
        import torch
        from torch import distributed

        # On the CPU whatever the devices are: reading a number off a GPU would stop it.
        self._group = self._group or distributed.new_group(backend="gloo")
        wish = torch.tensor(int(max(self.wish, own)))
        work = distributed.all_reduce(wish, distributed.ReduceOp.MAX, self._group, async_op=True)
        return wish, work

    def _taken(self, wish: Wish) -> Wish:
        if self.wish is Wish.SAVE:
            self.wish = Wish.NONE
        return wish


def _wake(pipe: int) -> None:
    """Has the thread at the other end look again."""
    with suppress(BlockingIOError, BrokenPipeError):  # it wakes of a full pipe, or has ended
        os.write(pipe, b"\0")


def _leave_to_parent() -> None:
    """Keeps a forked worker from reporting its own signals to its parent's thread."""
    pipe = signal.set_wakeup_fd(-1)
    if pipe not in _PIPES and pipe != -1:
        signal.set_wakeup_fd(pipe)


os.register_at_fork(after_in_child=_leave_to_parent)


def _is_distributed() -> bool:
    from torch import distributed

    return (
        distributed.is_available()
        and distributed.is_initialized()
        and distributed.get_world_size() > 1
    )
