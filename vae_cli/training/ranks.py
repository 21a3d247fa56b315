"""The processes of a run: what they tell each other, and that none outlives the others."""

import os
import signal
import time
from _thread import start_new_thread
from collections.abc import Callable
from functools import partial
from typing import Any

import torch.distributed
from lightning_fabric.utilities.distributed import _set_num_threads_if_needed
from pytorch_lightning import Trainer
from pytorch_lightning.strategies import DDPStrategy
from pytorch_lightning.strategies.launchers import _SubprocessScriptLauncher

from vae_cli.errors import Interrupted, VaeCliError
from vae_cli.training.parent import LINGER, LOOK, PARENT
from vae_cli.training.signals import Signals
from vae_cli.training.wish import WISHES, Wish, held_back

# Exit codes of a process that somebody has stopped, whether it could say so or not.
STOPPED = (Interrupted.exit_code, *(-number for number, w in WISHES.items() if w is Wish.STOP))
LOST = "another process of the run has ended"


def gather(item: Any) -> list[Any]:
    """The item of every process, in the order of their ranks."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return [item]
    items: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(items, item)
    return items


class RankLauncher(_SubprocessScriptLauncher):
    """Starts the processes, watches them, and ends them with this one.

    Lightning's own watch kills this process without a word, and does not notice one that ends
    with exit code 0 before its work is done.

    Args:
        signals: Of this process.
        given: As for Lightning's.
    """

    def __init__(self, signals: Signals, *given: Any) -> None:
        super().__init__(*given)
        self.signals = signals

    def launch(
        self,
        function: Callable[..., Any],
        *args: Any,
        trainer: Trainer | None = None,
        **kwargs: Any,
    ) -> Any:
        """See Lightning."""
        there = self.cluster_environment
        there.validate_settings(num_devices=self.num_processes, num_nodes=self.num_nodes)
        if not there.creates_processes_externally:
            self._start_others()
        _set_num_threads_if_needed(num_processes=self.num_processes)
        return function(*args, **kwargs)

    def _start_others(self) -> None:
        self.signals.farewells.append(partial(self.kill, signal.SIGKILL))
        os.environ[PARENT] = str(os.getpid())
        try:
            with held_back():  # they are not ready for signals before they have begun
                self._call_children_scripts()
        finally:
            del os.environ[PARENT]
        if self.signals.is_in_use:
            start_new_thread(self._watch, ())

    def _watch(self) -> None:
        """Ends this process when another one has failed, unless it finds out itself."""
        while not (failed := [code for p in self.procs if (code := p.poll())]):
            time.sleep(LOOK)
            if not self.signals.is_in_use or not any(p.returncode is None for p in self.procs):
                return
        is_stopped = failed[0] in STOPPED
        if is_stopped:  # whatever this process runs into now, it is because of that
            self.signals.wish = Wish.STOP
        time.sleep(LINGER)
        if self.signals.is_in_use:
            code = Interrupted.exit_code if is_stopped else VaeCliError.exit_code
            words = self.signals.last_words()
            self.signals.end(words if is_stopped else f"{LOST}; {words}", code)


class RankStrategy(DDPStrategy):
    """Lightning's strategy with this launcher.

    Args:
        signals: Of this process.
        options: Of Lightning's.
    """

    def __init__(self, signals: Signals, **options: Any) -> None:
        super().__init__(**options)
        self._signals = signals

    def _configure_launcher(self) -> None:
        given = (self.cluster_environment, self.num_processes, self.num_nodes)
        self._launcher = RankLauncher(self._signals, *given)
