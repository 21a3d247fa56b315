"""What is seen of a sweep while it runs."""

import threading
from collections.abc import Sequence
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from vae_cli.console import make_console, print_line, printable
from vae_cli.run.folder import RunFolder
from vae_cli.sweep.folder import OUTPUT, SweepFolder, last_line

LOOK = 1.0  # seconds between looks at the folders


class Watch:
    """Tells of each job when it has ended, and in a terminal how those that run are doing.

    It looks at the folders alone: the jobs may run on other machines.

    Args:
        folder: Of the sweep.
        names: Of the jobs; those that have results from before count as done.
    """

    def __init__(self, folder: SweepFolder, names: Sequence[str]) -> None:
        self.folder, self.console = folder, make_console()
        self.done = [name for name in names if RunFolder(folder.path / name).results.is_file()]
        self.open = [name for name in names if name not in self.done]
        self.total, self._over = len(names), threading.Event()
        self.bar = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=30), MofNCompleteColumn(),
            TimeElapsedColumn(), TextColumn("{task.fields[status]}", "dim", markup=False),
            console=self.console, transient=True, disable=not self.console.is_terminal,
        )  # fmt: skip
        self.task = self.bar.add_task("jobs", total=self.total, completed=len(self.done), status="")
        self._thread = threading.Thread(target=self._look_again, daemon=True)

    def __enter__(self) -> None:
        if self.done:
            self._say(f"{len(self.done)} of {self.total} jobs had finished before")
        self.bar.start()
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._over.set()
        self._thread.join()
        self._look()
        self.bar.stop()

    def _look_again(self) -> None:
        while not self._over.wait(LOOK):
            self._look()

    def _look(self) -> None:
        status = []
        for name in [*self.open]:
            ending = self.folder.ending_of(name)
            if ending is None:
                status += self._last_words(name)
                continue
            self.open.remove(name)
            self.done.append(name)
            has_results = RunFolder(self.folder.path / name).results.is_file()
            came_of_it = "done" if has_results else self.folder.why(name)
            count = f" {len(self.done)}/{self.total}" if self.total > 1 else ""
            self._say(f"job{count}  {name}  {came_of_it}  "
                      f"({ending.seconds:.0f} s)")  # fmt: skip
        self.bar.update(self.task, completed=len(self.done), status=" | ".join(status))

    def _last_words(self, name: str) -> list[str]:
        last = last_line(self.folder.path / name / OUTPUT).strip()
        return [printable(f"{name}: {last[:60]}")] if last else []

    def _say(self, text: str) -> None:
        print_line(self.console, text)
