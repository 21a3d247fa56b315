"""What TensorBoard's events cost: training with ``logger=tensorboard`` against ``logger=none``.

    OMP_NUM_THREADS=1 python benchmarks/dashboard.py data=mnist trainer.max_epochs=5

Both train in turns in one process, and what is compared are the processor's seconds; events are
written by a thread of the process. Two runs differ by a few per cent for other reasons, so what
the calls that write took of the clock is printed, too. The test at the end is left out, as is
drawing for ``figures/``.
"""

import argparse
import contextlib
import io
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from pytorch_lightning.loggers import TensorBoardLogger
from rich.console import Console

from vae_cli.config.build import build
from vae_cli.config.compose import compose
from vae_cli.launch.libraries import prepare_libraries
from vae_cli.run.fit import TrainingRun, fit
from vae_cli.run.folder import RunFolder
from vae_cli.training.dashboard import Dashboard
from vae_cli.training.signals import Signals


class Watch:
    """Adds up what methods take.

    Attributes:
        seconds: Of the clock, so far.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    def observe(self, cls: type, name: str) -> None:
        """Counts in a method of a class."""
        method = getattr(cls, name)

        def observed(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return method(*args, **kwargs)
            finally:
                self.seconds += time.perf_counter() - start

        setattr(cls, name, observed)


class Cost(NamedTuple):
    """Of one training."""

    processor: float  # seconds
    writing: float  # share of the clock's seconds
    size: int  # bytes of events


def train(overrides: list[str], logger: str, watch: Watch) -> Cost:
    """Trains once."""
    cfg, _ = compose("train", [*overrides, f"logger={logger}", "trainer.progress=false"])
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stderr(io.StringIO()):
        folder = RunFolder(name)
        folder.prepare()
        experiment = build(cfg)
        watch.seconds, start, clock = 0.0, time.process_time(), time.perf_counter()
        fit(TrainingRun(experiment, folder, ["benchmark"], Console(quiet=True), Signals()))
        processor, share = (
            time.process_time() - start,
            watch.seconds / (time.perf_counter() - clock),
        )
        size = sum(path.stat().st_size for path in Path(name).glob("events.*"))
    return Cost(processor, share, size)


def main() -> None:
    """Lets both take turns and prints medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("overrides", nargs="*", default=[])
    args = parser.parse_args()
    prepare_libraries()
    watch = Watch()
    for name in ("on_train_start", "on_validation_end", "on_train_end"):
        watch.observe(Dashboard, name)
    watch.observe(TensorBoardLogger, "log_metrics")
    quick = [*args.overrides, "trainer.fast_dev_run=true"]
    train(quick, "tensorboard", watch)  # what the first one pays
    pairs = [
        [train(args.overrides, logger, watch) for logger in ("none", "tensorboard")]
        for _ in range(args.rounds)
    ]
    more = statistics.median(b.processor / a.processor - 1 for a, b in pairs)
    print(f"logger=none          {statistics.median(a.processor for a, _ in pairs):.1f} s")
    print(f"logger=tensorboard   {more:+.1%}, {pairs[-1][1].size:,} bytes of events")
    print(f"calls that write     {statistics.median(b.writing for _, b in pairs):.1%} of the clock")


if __name__ == "__main__":
    main()
