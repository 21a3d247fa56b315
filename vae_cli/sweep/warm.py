"""Jobs of a sweep that start at once: they are forked from a process with torch loaded.

Loading torch and Lightning takes longer than training a small model. A server loads them once, and
each job is a fork of it, which then does what ``python -m vae_cli.commands.train`` does. The server
has one thread and no CUDA context, as a fork can use neither. It never receives a job's signals,
runs one job at a time, and ends with the process that has started it.

macOS starts each job as a new process: its libraries do not survive a fork.
"""

import atexit
import gc
import os
import runpy
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle, send_handle
from typing import Any, NamedTuple, TextIO, cast

from vae_cli.errors import VaeCliError
from vae_cli.training.parent import PARENT
from vae_cli.training.wish import WISHES

LOOK = 0.2  # seconds between looks at whether to stop
WAKE = 0.02  # seconds between the server's looks at its job
STOP = None  # the message that asks a job to stop
PRELOADED = (
    "vae_cli.commands.runs", "vae_cli.run.board", "vae_cli.run.session", "vae_cli.run.train",
    "vae_cli.terminal.summary",
)  # fmt: skip


class Task(NamedTuple):
    """What a job runs: ``python -m MODULE ARGUMENTS``.

    Attributes:
        module: Name of the module.
        arguments: Its command line.
        environment: All variables.
        cwd: Working directory.
    """

    module: str
    arguments: Sequence[str]
    environment: dict[str, str]
    cwd: str


class _Server:
    """The server, seen from the process that has started it.

    Args:
        environment, cwd: Of its first job.
    """

    def __init__(self, environment: dict[str, str], cwd: str) -> None:
        self._lasting = _lasting(environment, cwd)
        self._connection, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=cwd, env=environment,
                pass_fds=[theirs.fileno()], start_new_session=True,
            )  # fmt: skip

    def suits(self, environment: dict[str, str], cwd: str) -> bool:
        """Whether it is alive and can run such a job."""
        return self._process.poll() is None and self._lasting == _lasting(environment, cwd)

    def run(
        self, task: Task, output: TextIO, errors: TextIO, is_stopped: Callable[[], bool]
    ) -> int | None:
        """Runs a task, see ``run_warm``."""
        try:
            self._connection.send(task)
            for file in (output, errors):
                send_handle(self._connection, file.fileno(), self._process.pid)
            is_stopping = False
            while not self._connection.poll(LOOK):
                if not is_stopping and is_stopped():
                    is_stopping = True
                    self._connection.send(STOP)
            return int(self._connection.recv())
        except (EOFError, OSError):  # it and its job have ended
            return None

    def close(self) -> None:
        """Ends it."""
        self._connection.close()
        self._process.kill()
        self._process.wait()


def _lasting(environment: Mapping[str, str], cwd: str) -> tuple[str, dict[str, str]]:
    """What libraries may read when they are loaded: a server's jobs all have the same."""
    later = ("VAE_CLI_", "CUDA_VISIBLE_DEVICES")  # GPUs are counted when the first one is used
    return cwd, {name: text for name, text in environment.items() if not name.startswith(later)}


_server: _Server | None = None


def warm_up(environment: dict[str, str], cwd: str) -> None:
    """Starts this process's server unless a suitable one is running."""
    global _server
    if _server is None or not _server.suits(environment, cwd):
        close_server()
        _server = _Server(environment, cwd)
        atexit.register(close_server)  # joblib's processes end without closing it


def run_warm(
    task: Task, output: TextIO, errors: TextIO, is_stopped: Callable[[], bool]
) -> int | None:
    """Runs a task in a fork of this process's server.

    Args:
        task: The task.
        output, errors: Its standard output and error.
        is_stopped: Whether the task is to stop.

    Returns:
        The exit code, negative for a signal; None if the server was killed, and the task stopped.
    """
    warm_up(task.environment, task.cwd)
    assert _server is not None
    code = _server.run(task, output, errors, is_stopped)
    if code is None:
        close_server()
    return code


def close_server() -> None:
    """Ends this process's server, if there is one."""
    global _server
    if _server is not None:
        _server.close()
        _server = None


def _serve(connection: Connection) -> Task:
    """Forks a job for each task; returns in the jobs alone, each of which has to run its task."""
    signal.pthread_sigmask(signal.SIG_BLOCK, WISHES)  # a job receives them when it is ready to
    before = dict(os.environ)
    _preload()
    added = {name: value for name, value in os.environ.items() if before.get(name) != value}
    gc.collect()
    gc.freeze()  # jobs share this memory as long as nobody writes to it
    server = str(os.getpid())
    while True:
        task = _received(connection)
        files = [recv_handle(connection) for _ in range(2)]
        if (job := os.fork()) == 0:
            os.setsid()
            for number, file in enumerate(files, 1):
                os.dup2(file, number)
                os.close(file)
            os.environ.clear()
            os.environ.update(task.environment | added | {PARENT: server})
            import_module("numpy").random.seed()  # else jobs without a seed draw the same
            return task
        for file in files:
            os.close(file)
        connection.send(_exit_code(job, connection))


def _exit_code(job: int, connection: Connection) -> int:
    """Waits for a job; it is asked to stop when the client says so or is gone."""
    while True:
        ended, status = os.waitpid(job, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if connection.poll(WAKE):
            try:
                connection.recv()
            finally:
                os.kill(job, signal.SIGTERM)


def _received(connection: Connection) -> Task:
    """The next task; skips requests to stop a job that has ended already."""
    while (task := connection.recv()) is STOP:
        pass
    return cast(Task, task)


def _preload() -> None:
    """Imports what a run of the default configuration needs, and fills the caches of composing."""
    from omegaconf import OmegaConf

    from vae_cli.config.request import Request
    from vae_cli.launch.libraries import prepare_libraries
    from vae_cli.run.environment import environment

    prepare_libraries()
    for name in PRELOADED:
        import_module(name)
    environment()
    with (
        warnings.catch_warnings(),
        suppress(VaeCliError),
    ):  # the jobs report them
        warnings.simplefilter("ignore")
        cfg, _ = Request.of("train", []).compose()
        for target in _targets(OmegaConf.to_container(cfg)):
            import_module(target.rpartition(".")[0])


def _targets(node: Any) -> Iterator[str]:
    """The classes that a configuration names."""
    for key, value in node.items() if isinstance(node, dict) else ():
        yield from [value] if key == "_target_" else _targets(value)


def _main() -> None:
    connection = Connection(int(sys.argv[1]))  # stays open in a job: the client sees it end
    try:
        task = _serve(connection)
    except (EOFError, BrokenPipeError):  # the client is gone
        os._exit(0)
    sys.argv[1:] = task.arguments
    runpy.run_module(task.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
