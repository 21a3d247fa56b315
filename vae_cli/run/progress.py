"""How far a fit has come."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

LINES = 3  # of a fit, where the output is no terminal


@contextmanager
def progress(label: str, steps: int, console: Console) -> Iterator[Callable[[int], None]]:
    """What to tell the steps taken: a bar in a terminal, elsewhere a line now and then."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    is_terminal = console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=not is_terminal) as bar:
        task = bar.add_task(label, total=steps)

        def after_step(step: int) -> None:
            bar.update(task, completed=step)
            if not is_terminal and step * LINES // steps > (step - 1) * LINES // steps:
                console.print(f"{label}: {step}/{steps} steps", highlight=False, style="dim")

        yield after_step
