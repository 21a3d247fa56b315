"""What a run says at its end."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vae_cli.run.folder import RunFolder


def summary(results: Mapping[str, Any], folder: RunFolder) -> RenderableType:
    """A table of the results, where everything is, and what to do next.

    Args:
        results: As in ``results.json``.
        folder: Of the run.
    """
    samples = results.get("test/log_likelihood_samples")
    rows = [
        ("test/elbo", "nats", "bound on log p(x)"),
        ("test/reconstruction", "nats", "E log p(x|z)"),
        ("test/kl", "nats", "KL(q(z|x)‖p(z))"),
        ("test/log_likelihood", "nats", f"log p(x), {samples} samples"),
        ("test/bits_per_dim", "bits", "the same, each dimension"),
        ("test/active_units", "", f"of {results['latent_dim']} active units"),
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
    lines = {
        "run": folder.path,
        "pictures": f"{folder.figures} ({pictures})",
        "dashboard": "tensorboard --logdir outputs",
        "go on": f"vae-train resume={folder.path} trainer.max_epochs=...",
    }
    return Group(
        table, *(Text(f"{k:<10} {v}", overflow="ignore", no_wrap=True) for k, v in lines.items())
    )


def _number(results: Mapping[str, Any], key: str) -> str:
    value, error = results[key], results.get(f"{key}_se")
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.2f}" if error is None else f"{value:.2f} ± {error:.2f}"
