"""The runs of a sweep or of a first stage, forked from the tests: nothing is imported again.

For tests of what comes of such runs; others start real ones.
"""

import os
import signal
import subprocess
import sys
import traceback
import warnings
from typing import Any

from hydra.core.global_hydra import GlobalHydra

from vae_cli.commands.train import main

RUN = ["-m", "vae_cli.commands.train"]


class ForkingPopen(subprocess.Popen):  # type: ignore[type-arg]
    """In place of ``subprocess.Popen``: what is no run is started as ever."""

    def _execute_child(self, args: Any, *options: Any) -> None:
        if list(args[1:3]) != RUN:
            super()._execute_child(args, *options)  # type: ignore[misc]
            return
        cwd, environment, pipes = options[4], options[5], options[9:15]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of threads that a fork leaves behind
            self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                for target, pipe in enumerate((pipes[0], pipes[3], pipes[5])):
                    if pipe != -1:
                        os.dup2(pipe, target)
                sys.stdout, sys.stderr = open(1, "w"), open(2, "w")  # noqa: SIM115
                run([*args[3:]], cwd, environment)
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
            finally:
                os._exit(1)
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]


def run(arguments: list[str], cwd: str | None, environment: dict[str, str]) -> None:
    """Becomes the run."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.chdir(cwd or ".")
    os.environ.clear()
    os.environ.update(environment)
    GlobalHydra.instance().clear()
    sys.argv = ["vae-train", *arguments]
    main()
