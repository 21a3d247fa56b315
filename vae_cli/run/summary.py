"""What a run says at its end."""

import shlex
from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from vae_cli.run.folder import RunFolder


def print_summary(results: Mapping[str, Any], folder: RunFolder, console: Console) -> None:
    """Prints the results as a table, where everything is, and what to do next.

    Args:
        results: As in ``results.json``.
        folder: Of the run.
        console: Where to.
    """
    samples = results.get("test/log_likelihood_samples")
    rows = [
        ("test/elbo", "nats", "bound on log p(x)"),
        ("test/reconstruction", "nats", "E log p(x|z)"),
        ("test/kl", "nats", "KL(q(z|x)‖p(z))"),
        ("test/log_likelihood", "nats", f"log p(x), S = {samples}"),
        ("test/bits_per_dim", "bits", "each dimension"),
        ("test/active_units", "", f"of {results['latent_dim']}"),
        ("train/images_per_second", "images/s", "training alone"),
        ("train/seconds", "s", "validation and all"),
    ]
    images, binarize = results["test/images"], results["data/binarize"]
    table = Table(title=f"{images} test images, binarize={binarize}", box=SIMPLE_HEAD)
    for name, justify in (("result", "left"), ("value", "right"), ("", "left"), ("", "left")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for key, unit, meaning in rows:
        if results.get(key) is not None:
            table.add_row(key, _number(results, key), unit, meaning)
    pictures = ", ".join(sorted(p.stem for p in folder.figures.glob("*.png")))
    further = 2 * results["train/steps"]
    lines = {
        "run": str(folder.path),
        "pictures": f"{folder.figures} ({pictures})",
        "go on": f"vae-train resume={shlex.quote(str(folder.path))} trainer.max_steps={further}",
    }
    if any(folder.path.glob("events.*")):
        lines["dashboard"] = f"tensorboard --logdir {shlex.quote(str(folder.path.parent))}"
    console.print(table)
    for name, value in lines.items():
        console.print(f"{name:<10} {value}", soft_wrap=True, highlight=False, markup=False)


def _number(results: Mapping[str, Any], key: str) -> str:
    value, error = results[key], results.get(f"{key}_se")
    if error is not None:
        return f"{value:.2f} ± {error:.2f}"
    return f"{value:.0f}" if isinstance(value, int) or value >= 1000 else f"{value:.2f}"
