"""What TensorBoard's events cost: training with ``logger=tensorboard`` against ``logger=none``.

    OMP_NUM_THREADS=1 python benchmarks/dashboard.py data=mnist trainer.max_epochs=5

Both train in turns in one process, and what is compared are the processor's seconds, which other
programs do not change as they do the clock's; events are written by a thread of the process. The
test at the end is left out, as is drawing for ``figures/``.
"""

import argparse
import contextlib
import io
import statistics
import tempfile
import time
from pathlib import Path

from rich.console import Console

from vae_cli.commands.entry import prepare_libraries
from vae_cli.config.build import build
from vae_cli.config.compose import compose
from vae_cli.run.folder import RunFolder
from vae_cli.run.train import fit


def train(overrides: list[str], logger: str) -> tuple[float, int]:
    """Seconds of the processor that training took, and bytes of events."""
    cfg, _ = compose("train", [*overrides, f"logger={logger}", "trainer.progress=false"])
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stderr(io.StringIO()):
        folder = RunFolder(name)
        folder.prepare()
        experiment = build(cfg)
        start = time.process_time()
        fit(experiment, folder, ["benchmark"], Console(quiet=True))
        seconds = time.process_time() - start
        return seconds, sum(path.stat().st_size for path in Path(name).glob("events.*"))


def main() -> None:
    """Lets both take turns and prints medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("overrides", nargs="*", default=[])
    args = parser.parse_args()
    prepare_libraries()
    train([*args.overrides, "trainer.fast_dev_run=true"], "tensorboard")  # what the first one pays
    pairs, size = [], 0
    for _ in range(args.rounds):
        without, _ = train(args.overrides, "none")
        seconds, size = train(args.overrides, "tensorboard")
        pairs.append((without, seconds))
    share = statistics.median(seconds / without - 1 for without, seconds in pairs)
    base = statistics.median(without for without, _ in pairs)
    print(f"logger=none {base:.1f} s, logger=tensorboard {share:+.1%}, {size:,} bytes of events")


if __name__ == "__main__":
    main()
