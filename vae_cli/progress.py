"""How long work takes and how far it has come: a bar in a terminal, lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vae_cli.console import print_line

LINE_EVERY = 10.0  # seconds between lines, where the output is no terminal
LONG = 30.0  # seconds of work that is announced
SAMPLE = 1.0  # seconds of work that show how long all of it takes
MINUTE, HOUR = 60, 3600  # seconds
STEPS = ((MINUTE, 1), (5 * MINUTE, 10), (HOUR, MINUTE))  # below so many seconds, rounded to these


def duration(seconds: float) -> str:
    """A time that is only about known: ``45 s``, ``1 min 30 s``, ``14 min``, ``2 h 10 min``."""
    step = next((s for limit, s in STEPS if seconds < limit), MINUTE * 10)
    rounded = max(1, round(seconds / step) * step)
    if rounded < MINUTE:
        return f"{rounded} s"
    large, small = (MINUTE, 1) if rounded < HOUR else (HOUR, MINUTE)
    names = {1: "s", MINUTE: "min", HOUR: "h"}
    whole, rest = divmod(rounded, large)
    return f"{whole} {names[large]}" + (f" {rest // small} {names[small]}" if rest else "")


@contextmanager
def progress(
    label: str,
    total: int,
    unit: str,
    console: Console,
    done: int = 0,
    is_announced: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Callable[[int], None]]:
    """Shows how far work has come.

    Work that takes more than half a minute is announced as soon as its first second shows that.
    Where the output is no terminal, a line every ten seconds has what is done and the time left.

    Args:
        label: What is done.
        total: How much there is.
        unit: Of it: ``steps``.
        console: Where to.
        done: Before the work begins.
        is_announced: Whether the user knows already how long it takes.
        clock: In seconds.

    Yields:
        What takes how much is done.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TextColumn(unit), TimeRemainingColumn())  # fmt: skip
    first, began = done, clock()
    printed, announced = began, is_announced

    def advance(now_done: int) -> None:
        nonlocal printed, announced
        now = clock()
        bar.update(task, completed=now_done)
        if now_done <= first:
            return
        each = (now - began) / (now_done - first)
        if not announced and now - began >= SAMPLE:
            announced = True
            if each * (total - first) > LONG:
                print_line(console, cost_line(label, each * (total - first), total - first, unit))
        if not console.is_terminal and now - printed >= LINE_EVERY and now_done < total:
            printed = now
            left = duration(each * (total - now_done))
            print_line(console, f"{label}: {now_done}/{total} {unit}, about {left} left", "dim")

    is_hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=is_hidden) as bar:
        task = bar.add_task(label, total=total, completed=done)
        yield advance


def cost_line(label: str, seconds: float, count: int, unit: str) -> str:
    """What work costs, before it is done."""
    return f"{label}: about {duration(seconds)} for {count} {unit}."
