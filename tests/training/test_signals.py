"""Signals become wishes, or stop what is under way."""

import os
import signal
from collections.abc import Iterator

import pytest

from vae_cli.training.signals import WISHES, Signals, Wish

STOPPING = [number for number, wish in WISHES.items() if wish is Wish.STOP]


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """A process that is stopped ignores signals from then on; this one goes on."""
    before = {number: signal.getsignal(number) for number in WISHES}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", STOPPING)
def test_waits_for_whoever_works(number: int) -> None:
    with Signals() as signals:
        signals.deferred = True
        assert signals.agreed() is Wish.NONE
        send(number)
        send(number)  # a second one does no harm
        assert signals.agreed() is Wish.STOP
        assert signals.agreed_before() is Wish.STOP


@pytest.mark.parametrize("number", STOPPING)
def test_stops_at_once_where_nobody_asks(number: int) -> None:
    with Signals() as signals, pytest.raises(KeyboardInterrupt):
        send(number)
    assert signals.wish is Wish.STOP
    send(number)  # the process is about to end: it does so with the exit code it has chosen


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
        signals.deferred = True
        send(signal.SIGUSR2)
        assert signals.wish is Wish.SAVE
    assert {number: signal.getsignal(number) for number in WISHES} == before
