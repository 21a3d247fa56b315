"""What a run says at its end."""

from collections.abc import Mapping
from typing import Any

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
    samples = results["test/log_likelihood_samples"] if "test/log_likelihood" in results else 0
    rows = [
        ("test/elbo", "bound on log p(x)", "nats"),
        ("test/reconstruction", "E log p(x|z)", "nats"),
        ("test/kl", "KL(q(z|x)‖p(z))", "nats"),
        ("test/log_likelihood", f"log p(x), {samples} importance samples", "nats"),
        ("test/bits_per_dim", "the same in bits per dimension", "bits"),
        ("test/active_units", f"active units of {results['latent_dim']}", ""),
        ("train/images_per_second", "training speed", "images/s"),
        ("train/seconds", "time of training", "s"),
    ]
    images, binarize = results["test/images"], results["data/binarize"]
    title = f"{images} test images, binarize={binarize}, higher is better for bounds"
    table = Table(title=title, title_justify="left", title_style="")
    for name, justify in (("result", "left"), ("value", "right"), ("unit", "left"), ("", "left")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for key, meaning, unit in rows:
        if results.get(key) is not None:
            table.add_row(key, _number(results, key), unit, meaning)
    pictures = " ".join(sorted(p.name for p in folder.figures.glob("*.png")))
    lines = [
        ("run", str(folder.path)),
        ("pictures", f"{folder.figures}/: {pictures}"),
        ("dashboard", "tensorboard --logdir outputs"),
        ("train on", f"vae-train resume={folder.path} trainer.max_epochs=..."),
    ]
    text = Text("\n".join(f"{name + ':':<11}{value}" for name, value in lines), overflow="fold")
    return Group(table, text)


def _number(results: Mapping[str, Any], key: str) -> str:
    value, error = results[key], results.get(f"{key}_se")
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.2f}" if error is None else f"{value:.2f} ± {error:.2f}"
