"""What running four jobs at once brings, beside one after the other, on this machine.

    python benchmarks/sweeps.py [--jobs 2] [--epochs 30] [--rounds 3]

The same four digits runs in turns: by Hydra's default launcher, and by joblib's with
so many at once. Each job is a separate process in both, so that what is compared is the
concurrency alone. What is printed are medians over the rounds, in seconds.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SWEEP = ["-m", "seed=0,1,2,3", "figure=[]"]


def seconds(arguments: list[str], epochs: int) -> float:
    """How long a sweep takes, the driver's own start included."""
    with tempfile.TemporaryDirectory() as work:
        program = Path(sys.executable).with_name("vae-train")
        began = time.perf_counter()
        subprocess.run(
            [program, *SWEEP, f"trainer.max_epochs={epochs}", *arguments], cwd=work, check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        return time.perf_counter() - began


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    own = parser.parse_args()
    ways = {
        "one after the other": [],
        f"{own.jobs} at once": ["launcher=joblib", f"hydra.launcher.n_jobs={own.jobs}"],
    }
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(own.rounds):
        for way, arguments in ways.items():
            taken[way].append(seconds(arguments, own.epochs))
            print(f"round {number + 1}: {way}: {taken[way][-1]:.1f} s")
    medians = [statistics.median(times) for times in taken.values()]
    for way, median in zip(ways, medians, strict=True):
        print(f"{way:>20}  {median:6.1f} s  {4 * 3600 / median:5.0f} jobs an hour")
    print(f"{'ratio':>20}  {medians[0] / medians[1]:6.2f}")


if __name__ == "__main__":
    main()
