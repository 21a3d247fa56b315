"""How long a command takes to its first training step, and which imports that time goes to.

    python benchmarks/startup.py [--rounds 5] [--top 25] [OVERRIDE ...]

Starts ``vae-train trainer.fast_dev_run=true OVERRIDE ...`` as often as asked, each time as a
separate process that ends after its first step. Prints the medians of the seconds that each stage
is reached after, by the clock and of the processor. Then starts it once more with Python's
``-X importtime``, and prints the packages and the modules that take longest to import. With that
measurement imports take longer than without.
"""

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict

STAGES = {
    "parsed": "the command line is read, and nothing heavy imported",
    "composed": "the configuration is composed and checked",
    "libraries": "torch and Lightning are imported",
    "built": "data and model are there",
    "fit": "the folder is written",
    "step": "the first step is done",
}
CODE = """
import os, sys, time
started = float(sys.argv.pop(1))

def reached(stage):
    print("reached", stage, time.monotonic() - started, time.process_time(), flush=True)

def announced(module, name, before="", after=""):
    function = getattr(module, name)
    def called(*args, **kwargs):
        before and reached(before)
        result = function(*args, **kwargs)
        after and reached(after)
        return result
    setattr(module, name, called)

from vae_cli.commands.train import main
from vae_cli.run import session

def train(*given):
    from vae_cli.run import train as module
    from vae_cli.training.module import TrainingModule
    step = TrainingModule._play
    def play(*inputs):
        step(*inputs)
        reached("step")
        os._exit(0)
    TrainingModule._play = play
    announced(module, "train", before="fit")
    original(*given)

original, session._train = session._train, train
announced(session, "decide", before="parsed", after="composed")
announced(session, "prepare_libraries", after="libraries")
announced(session, "_build", after="built")
main(sys.argv[1:])
"""
IMPORT = re.compile(r"import time: +(\d+) \| +(\d+) \| *(\S+)")


def start(options: list[str], overrides: list[str]) -> subprocess.CompletedProcess[str]:
    """One run in an empty folder, until its first step."""
    arguments = [str(time.monotonic()), "trainer.fast_dev_run=true", *overrides]
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [sys.executable, *options, "-c", CODE, *arguments],
            cwd=folder, check=True, capture_output=True, text=True,
        )  # fmt: skip


def stages(output: str) -> dict[str, tuple[float, float]]:
    """Seconds by the clock and of the processor, by stage."""
    rows = [line.split()[1:] for line in output.splitlines() if line.startswith("reached")]
    return {stage: (float(wall), float(cpu)) for stage, wall, cpu in rows}


def by_seconds(item: tuple[str, float]) -> float:
    """A key that puts the longest first."""
    return -item[1]


def main() -> None:
    """Runs and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--top", type=int, default=25)
    options, overrides = parser.parse_known_args()
    rounds = [stages(start([], overrides).stdout) for _ in range(options.rounds)]
    print(f"until                 clock      CPU   median of {options.rounds} starts")
    for stage, meaning in STAGES.items():
        wall, cpu = (statistics.median(r[stage][i] for r in rounds) for i in range(2))
        print(f"{stage:<18}{wall:7.2f} s{cpu:7.2f} s   {meaning}")
    found = IMPORT.findall(start(["-X", "importtime"], overrides).stderr)
    own = {name: int(microseconds) / 1e6 for microseconds, _, name in found}
    packages: dict[str, float] = defaultdict(float)
    for name, seconds in own.items():
        packages[name.partition(".")[0]] += seconds
    print(f"\nimports               {sum(own.values()):.2f} s in {len(own)} modules")
    print("\nby package                         by module, its own time")
    modules = sorted(own.items(), key=by_seconds)
    for (package, all_of_it), (module, seconds) in zip(
        sorted(packages.items(), key=by_seconds)[: options.top], modules, strict=False
    ):
        print(f"{package:<24}{all_of_it:7.3f} s   {module:<48}{seconds:7.3f} s")


if __name__ == "__main__":
    main()
