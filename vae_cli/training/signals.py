"""What a scheduler or a user asks of a run by a signal, agreed on by all its processes."""

import enum
import signal
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:  # the command line is read, and signals are received, before torch is there
    from torch import Tensor


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


class Signals:
    """Receives signals; a context, outside of which they mean what they meant before.

    While ``deferred`` they only leave a wish, which whoever works asks for between two steps.
    Otherwise a wish to stop raises KeyboardInterrupt. What comes after such a wish is ignored, so
    that impatience does not spoil the saving.

    Attributes:
        deferred: Whether somebody asks for wishes.
        wish: The largest one of this process, so far.
    """

    def __init__(self) -> None:
        self.deferred = False
        self.wish = Wish.NONE
        self._before: dict[int, Any] = {}
        self._group: Any = None
        self._asked: tuple[Tensor, Any] | None = None

    def __enter__(self) -> Self:
        self.install()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            # A process that has been asked to stop is about to end: one more signal must not
            # change the exit code by which the scheduler knows what to do.
            stopping = self.wish is Wish.STOP
            signal.signal(number, signal.SIG_IGN if stopping else handler)

    def install(self) -> None:
        """Takes the signals, also from a library that has taken them since."""
        for number in WISHES:
            try:
                previous = signal.signal(number, self._receive)
            except ValueError:  # not the main thread: whoever runs this there handles signals
                return
            self._before.setdefault(number, previous)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        was, self.wish = self.wish, max(self.wish, WISHES[signal.Signals(number)])
        if self.wish is Wish.STOP and was is not Wish.STOP and not self.deferred:
            raise KeyboardInterrupt

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

        Args:
            own: As in ``agreed``.
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


def _is_distributed() -> bool:
    from torch import distributed

    return (
        distributed.is_available()
        and distributed.is_initialized()
        and distributed.get_world_size() > 1
    )
