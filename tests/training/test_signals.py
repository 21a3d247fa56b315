"""Signals become wishes, or stop what is under way."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest

from vae_cli.errors import Interrupted
from vae_cli.training.signals import Signals
from vae_cli.training.wish import WISHES, Wish

STOPPING = [number for number, wish in WISHES.items() if wish is Wish.STOP]


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """A process that is stopped ignores signals from then on; this one continues."""
    before = {number: signal.getsignal(number) for number in WISHES}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: int) -> None:
    os.kill(os.getpid(), number)


def run(body: str) -> subprocess.CompletedProcess[str]:
    """A process that takes the signals, sends itself one, and hangs if it is let."""
    head = "import os, signal, threading, _thread\n"
    head += "from vae_cli.training.signals import Signals\n"
    send = "def send(number): os.kill(os.getpid(), number)\n"
    code = head + send + "signals = Signals().__enter__()\n" + textwrap.dedent(body)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("number", STOPPING)
def test_waits_for_whoever_works(number: int) -> None:
    with Signals() as signals:
        signals.defer()
        assert signals.agreed() is Wish.NONE
        send(number)
        send(number)  # a second one does no harm
        assert signals.agreed() is Wish.STOP
        assert signals.agreed_before() is Wish.STOP
        with pytest.raises(Interrupted, match="stopped before"):
            signals.stop_at_once()
    send(number)  # the process is about to end: it does so with the exit code it has chosen


HANGS = {
    "a lock": "lock = threading.Lock(); lock.acquire(); {send}; lock.acquire()",
    "a held lock of threading": "threading._active_limbo_lock.acquire(); {send}; signal.pause()",
    "a stolen handler": "signal.signal({number}, lambda *_: None); {send}; signal.pause()",
    "an except of everything": "{send}\nwhile True:\n    try:\n        signal.pause()\n"
    "    except BaseException:\n        pass",
    "too little time": "signals.defer(0.01); {send}; signal.pause()",
    "a promise taken back": "signals.defer(); {send}\ntry: signals.stop_at_once()\n"
    "except Exception: signals.defer(0.0)\nsignal.pause()",
}


@pytest.mark.parametrize(
    ("hang", "number"),
    [*((hang, signal.SIGTERM) for hang in HANGS), ("a stolen handler", signal.SIGINT)],
)
def test_ends_whatever_the_main_thread_does(hang: str, number: signal.Signals) -> None:
    done = run(HANGS[hang].format(send=f"send({number:d})", number=number))
    assert done.returncode == 75, done.stderr
    assert done.stderr == "vae-train: stopped before it began\n"


def test_says_farewell_and_its_last_words() -> None:
    done = run(
        """
        signals.farewells += [lambda: os.write(1, b"bye"), lambda: 1 / 0]
        signals.last_words = lambda: "resume"
        send(signal.SIGTERM)
        signal.pause()
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (75, "bye", "vae-train: resume\n")


def test_a_forked_worker_does_not_stop_its_parent() -> None:
    done = run(
        """
        signals.farewells.append(lambda: os.write(1, b"parent"))
        worker = os.fork()
        if worker == 0:
            send(signal.SIGTERM)
            os._exit(3)
        assert os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) == 3
        signals.release()
        """
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_saving_is_asked_for_once() -> None:
    with Signals() as signals:
        send(signal.SIGUSR2)
        assert signals.agreed_before() is Wish.SAVE
        assert signals.agreed_before() is Wish.NONE
        assert signals.agreed_before(Wish.SAVE) is Wish.SAVE
        assert signals.agreed_before() is Wish.NONE


def test_handlers_are_given_back() -> None:
    before = {number: signal.getsignal(number) for number in WISHES}
    with Signals() as signals:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # as a library would
        signals.install()
        signals.defer()
        send(signal.SIGUSR2)
        assert signals.wish is Wish.SAVE
    assert {number: signal.getsignal(number) for number in WISHES} == before
