"""What sweeps gain from jobs that are forked, and from several jobs at once, on this machine.

    python benchmarks/sweeps.py [--jobs 16] [--at-once 2] [--short 2] [--long 60] [--rounds 1]

Digits runs with seeds 0, 1, …: short ones as new processes and forked, one after the other; long
ones forked, one after the other and several at once. Prints the seconds of each sweep, with its
driver's start, and the CPU seconds of all its processes: medians over the rounds. The ways take
turns, so that the ratios hold on a busy machine, too; its CPU seconds vary less than its seconds.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

COLD = """
from vae_cli.sweep import job
job._is_warm = lambda *_: False
"""
MAIN = """
import sys
from vae_cli.commands.train import main
sys.exit(main())
"""


def seconds(code: str, jobs: int, epochs: int, arguments: list[str]) -> tuple[float, float]:
    """How long a sweep takes, and its CPU seconds."""
    seeds = ",".join(map(str, range(jobs)))
    sweep = ["-m", f"seed={seeds}", "figure=[]", f"trainer.max_epochs={epochs}", *arguments]
    with tempfile.TemporaryDirectory() as work:
        began, before = time.perf_counter(), os.times()
        subprocess.run(
            [sys.executable, "-c", code, *sweep], cwd=work, check=True, stdout=subprocess.DEVNULL
        )
        after = os.times()
        cpu = after.children_user + after.children_system
        cpu -= before.children_user + before.children_system
        return time.perf_counter() - began, cpu


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=16)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--short", type=int, default=2, help="epochs of a short job; 0: none")
    parser.add_argument("--long", type=int, default=60, help="epochs of a long job; 0: none")
    parser.add_argument("--rounds", type=int, default=1)
    own = parser.parse_args()
    several = ["launcher=joblib", f"hydra.launcher.n_jobs={own.at_once}"]
    pairs: dict[int, dict[str, tuple[str, list[str]]]] = {
        own.short: {"new processes": (COLD + MAIN, []), "forked": (MAIN, [])},
        own.long: {"one after the other": (MAIN, []), f"{own.at_once} at once": (MAIN, several)},
    }
    for epochs, ways in pairs.items():
        if not epochs:
            continue
        taken: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for _ in range(own.rounds):
            for way, (code, arguments) in ways.items():
                taken[way].append(seconds(code, own.jobs, epochs, arguments))
        print(f"{own.jobs} jobs of {epochs} epochs")
        walls = [statistics.median(wall for wall, _ in taken[way]) for way in ways]
        cpus = [statistics.median(cpu for _, cpu in taken[way]) for way in ways]
        for way, wall, cpu in zip(ways, walls, cpus, strict=True):
            rate = own.jobs * 3600 / wall
            print(f"{way:>20}  {wall:6.1f} s  {cpu:6.1f} CPU s  {rate:5.0f} jobs an hour")
        print(f"{'ratio':>20}  {walls[0] / walls[1]:6.2f}    {cpus[0] / cpus[1]:6.2f}")


if __name__ == "__main__":
    main()
