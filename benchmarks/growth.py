"""How time and memory grow with the amount of work, one quantity at a time.

    python benchmarks/growth.py [--largest 1] [--only images,pixels] [--picture growth.png]

Each line is one ``vae-train`` of a 784-400-20 VAE in batches of 128, with one quantity changed; for
S it is one ``vae-eval``. "start" is the time to the first step, "work" that of a step in the
training loop, or of an image in ``vae-eval``; "memory" is the peak of the process. The slopes are
those of the logarithms over the upper half of the values: 1 is proportional, 0 does not depend.
``--largest 0.1`` leaves out values above a tenth of the largest. The pixels are random: time and
memory do not depend on what they show.
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

STEPS, EVALUATED, IMAGES, SIDE = 60, 50, 60_000, 28
SETTING = (
    "data=array", "likelihood=bernoulli", "latent_dim=20", "network.hidden_dims=[400]",
    "data.batch_size=128", "accelerator=cpu", f"trainer.max_steps={STEPS}", "figure=[]",
    "logger=none", "metric=[]", "hydra.run.dir=run",
)  # fmt: skip


class Cost(NamedTuple):
    """What one command took."""

    start: float  # s
    work: float  # s
    memory: float  # bytes


class Quantity(NamedTuple):
    """What grows."""

    title: str
    values: Sequence[int]
    measure: Callable[[int], Cost]


def run(program: str, *arguments: str) -> tuple[float, float]:
    """Seconds of a command, and the peak of its memory in bytes."""
    began = time.perf_counter()
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    errors = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(errors)
    return time.perf_counter() - began, usage.ru_maxrss * 1024


def train(images: int = IMAGES, side: int = SIDE, *overrides: str) -> Cost:
    """What training costs on so many images of so many pixels a side."""
    shutil.rmtree("run", ignore_errors=True)
    random = np.random.default_rng(0)
    some = random.integers(0, 256, (min(images, IMAGES), side, side), np.uint8)
    few = random.integers(0, 256, (2, EVALUATED, side, side), np.uint8)
    repeated = np.resize(some, (images, side, side))
    np.savez("pixels.npz", train=repeated, validation=few[0], test=few[1])
    del repeated
    given = {
        text.partition("=")[0]: text for text in (*SETTING, "data.path=pixels.npz", *overrides)
    }
    _, memory = run("vae-train", *given.values())
    found = json.loads(Path("run", "results.json").read_text(encoding="utf-8"))
    batch = int(given["data.batch_size"].partition("=")[2])
    return Cost(found["train/start_seconds"], batch / found["train/images_per_second"], memory)


def evaluate(samples: int) -> Cost:
    """What the estimate of log p(x) costs by S draws an image."""
    if not Path("run").exists():
        train()
    command = ["vae-eval", "run=run", "metric=[importance_sampling]", "analysis=[]"]
    start, _ = run(*command, "samples=1")
    seconds, memory = run(*command, f"samples={samples}")
    return Cost(start, max(seconds - start, 1e-3) / EVALUATED, memory)


def quantities() -> dict[str, Quantity]:
    """All of them, by the name that ``--only`` knows."""
    return {
        "images": Quantity(
            "training images", [60_000, 200_000, 600_000, 2_000_000, 6_000_000], train
        ),
        "pixels": Quantity(
            "pixels of an image", [14**2, 28**2, 56**2, 112**2, 224**2],
            lambda pixels: train(2_000, math.isqrt(pixels)),
        ),
        "latent_dim": Quantity(
            "latent dimensions", [20, 80, 320, 1280, 5120],
            lambda size: train(IMAGES, SIDE, f"latent_dim={size}"),
        ),
        "batch_size": Quantity(
            "images in a batch", [32, 128, 512, 2048, 8192],
            lambda size: train(IMAGES, SIDE, f"data.batch_size={size}"),
        ),
        "flow_length": Quantity(
            "planar maps", [5, 20, 80, 320],
            lambda length: train(
                IMAGES, SIDE, "posterior=planar", f"posterior.flow_length={length}"
            ),
        ),
        "samples": Quantity("draws S in vae-eval", [100, 1000, 10_000, 100_000], evaluate),
    }  # fmt: skip


def slope(values: Sequence[int], costs: Sequence[float]) -> float:
    """Of the logarithms, over the upper half of the values."""
    half = len(values) // 2
    return float(np.polyfit(np.log(values[half:]), np.log(costs[half:]), 1)[0])


def draw(table: dict[str, list[tuple[int, Cost]]], titles: dict[str, str], path: Path) -> None:
    """Draws a column a quantity: time above, memory below."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3 * len(table), 5), layout="constrained")
    axes = figure.subplots(2, len(table), squeeze=False, sharex="col", sharey="row")
    for column, (name, rows) in zip(axes.T, table.items(), strict=True):
        values = [value for value, _ in rows]
        column[0].loglog(values, [1e3 * cost.work for _, cost in rows], "o-")
        column[1].loglog(values, [cost.memory / 2**30 for _, cost in rows], "o-")
        column[1].set_xlabel(titles[name])
    axes[0, 0].set_ylabel("ms a step (S: an image)")
    axes[1, 0].set_ylabel("peak memory, GiB")
    figure.savefig(path, dpi=150)


def main() -> None:
    """Lets each quantity grow, and prints a table."""
    known = quantities()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--largest", type=float, default=1.0, help="share of the largest value")
    parser.add_argument("--only", default=",".join(known), help="quantities, comma-separated")
    parser.add_argument("--picture", type=Path, help="a PNG")
    args = parser.parse_args()
    here, table = Path.cwd(), dict[str, list[tuple[int, Cost]]]()
    print(f"{'':<22}{'value':>10}{'start, s':>10}{'work, ms':>10}{'memory, GiB':>13}")
    for name in args.only.split(","):
        title, every, measure = known[name]
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            values = [value for value in every if value <= args.largest * every[-1]]
            rows = []
            for value in values:
                cost = measure(value)
                start, work, memory = cost
                text = f"{start:>10.2f}{1e3 * work:>10.2f}{memory / 2**30:>13.2f}"
                print(f"{title:<22}{value:>10,}{text}", flush=True)
                rows.append((value, cost))
            os.chdir(here)
        table[name] = rows
        if len(values) > 2:
            slopes = (slope(values, each) for each in zip(*(cost for _, cost in rows), strict=True))
            print(f"{'  slope':<32}" + "{:>10.2f}{:>10.2f}{:>13.2f}".format(*slopes), flush=True)
    if args.picture:
        draw(table, {name: known[name].title for name in table}, args.picture)


if __name__ == "__main__":
    main()
