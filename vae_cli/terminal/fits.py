"""The table that vae-flow prints."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from vae_cli.console import print_line
from vae_cli.terminal.table import Table, print_table


def print_fits(results: Mapping[str, Any], folder: Path, console: Console) -> None:
    """Prints KL(q‖p) of each energy and length, and where everything is."""
    lengths = next(iter(results.values()))["length"]
    heads = ["energy", *(f"K = {k}" for k in lengths)]
    rows = []
    for name, found in results.items():
        cells = [f"{n['kl']:.3f} ± {n['kl_se']:.3f}" for n in found["length"].values()]
        rows.append([name, *cells])
    print_table(Table("KL(q‖p), nats", heads, rows, range(1, len(heads))), console)
    off = max(abs(n["mass"] - 1) for found in results.values() for n in found["length"].values())
    seconds = sum(n["seconds"] for n in next(iter(results.values()))["length"].values())
    console.print(f"∫ q over the grid is 1 within {off:.0e}; {seconds:.0f} s", highlight=False)
    for path in sorted(folder.iterdir()):
        print_line(console, path)
