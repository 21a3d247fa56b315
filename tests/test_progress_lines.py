"""How far work has come, and what it costs."""

import io

import pytest
from rich.console import Console

from vae_cli.progress import duration, progress


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "1 s"), (45.4, "45 s"), (59.7, "1 min"), (88, "1 min 30 s"), (127, "2 min 10 s"),
        (301, "5 min"), (835, "14 min"), (3580, "1 h"), (3700, "1 h"), (7900, "2 h 10 min"),
        (100_000, "27 h 50 min"),
    ],
)  # fmt: skip
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def shown(each: float, total: int, done: int = 0, is_announced: bool = False) -> list[str]:
    """The lines that work prints into a pipe, on a fake clock."""
    now, file = 0.0, io.StringIO()
    console = Console(file=file, width=200, force_terminal=False)
    with progress("work", total, "steps", console, done, is_announced, lambda: now) as advance:
        for step in range(done + 1, total + 1):
            now += each
            advance(step)
    return file.getvalue().splitlines()


def test_a_line_every_ten_seconds() -> None:
    assert shown(0.5, 100) == [
        "work: about 50 s for 100 steps.",
        "work: 20/100 steps, about 40 s left",
        "work: 40/100 steps, about 30 s left",
        "work: 60/100 steps, about 20 s left",
        "work: 80/100 steps, about 10 s left",
    ]


def test_short_work_is_silent() -> None:
    assert shown(0.01, 100) == []


def test_slow_steps_and_resumed_work() -> None:
    lines = shown(25.0, 10, done=7)
    assert lines[0] == "work: about 1 min 20 s for 3 steps."
    assert lines[1:] == ["work: 8/10 steps, about 50 s left", "work: 9/10 steps, about 25 s left"]
    assert shown(25.0, 10, done=7, is_announced=True) == lines[1:]
