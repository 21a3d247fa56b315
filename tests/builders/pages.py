"""Folders of runs to make pages of, and what a page is made of."""

import json
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

from PIL import Image

CONFIG = """\
data: {_target_: vae_cli.data.digits.load, binarize: dynamic, dequantize: false, batch_size: 64}
model: {_target_: vae_cli.model.vae.VAE}
posterior: {_target_: vae_cli.posterior.%s.%sPosterior}
latent_dim: 2
seed: %d
"""
RESULTS = {
    "test/images": 180, "test/elbo": -24.8, "test/elbo_se": 0.32, "test/reconstruction": -22.4,
    "test/reconstruction_se": 0.35, "test/kl": 2.4, "test/kl_se": 0.06, "test/active_units": 2,
    "test/log_likelihood": -24.4, "test/log_likelihood_se": 0.3, "test/log_likelihood_samples": 200,
    "test/bits_per_dim": None, "train/images_per_second": 8000.0, "train/seconds": 12.5,
    "latent_dim": 2, "parameters": 383288, "train/epochs": 20.0,
}  # fmt: skip
EVALUATION = {
    "data": "digits", "data_path": None, "split": "test", "images": 180, "binarize": "dynamic",
    "dequantize": False, "checkpoint": "best.ckpt", "latent_dim": 2, "elbo": -24.9,
    "elbo_se": 0.31, "log_likelihood": -24.35, "log_likelihood_se": 0.29,
    "log_likelihood_samples": 500, "log_likelihood_is_bound": True, "high_pareto_shape": 0.3,
    "kl": 2.41, "kl_se": 0.05,
}  # fmt: skip


def make_run(
    path: Path,
    log_likelihood: float = -24.4,
    posterior: str = "diagonal",
    seed: int = 0,
    binarize: str = "dynamic",
    overrides: Sequence[str] = ("seed=0",),
) -> Path:
    """A finished run with curves and a picture, but without an evaluation."""
    (path / "figures").mkdir(parents=True)
    Image.new("L", (6, 4)).save(path / "figures" / "samples.png")
    config = CONFIG % (posterior, posterior.title(), seed)
    (path / "config.yaml").write_text(config.replace("dynamic", binarize))
    (path / "overrides.yaml").write_text(json.dumps(list(overrides)))
    results = {**RESULTS, "test/log_likelihood": log_likelihood, "seed": seed}
    results["validation/elbo"] = log_likelihood - 0.5
    (path / "results.json").write_text(json.dumps(results))
    (path / "command.txt").write_text("vae-train seed=0\nvae-train resume=here\n")
    (path / "environment.txt").write_text(f"date 2026-11-2{seed % 10} 09:00 UTC\npython 3.11\n")
    (path / "metrics.csv").write_text(
        "epoch,step,train/elbo,validation/elbo,train/lr\n"
        "0,10,-90.5,,0.001\n0,10,,-80.25,\n1,200,-30.5,,0.001\n1,200,nan,-29.75,\n"
    )
    return path


def evaluate_run(path: Path) -> None:
    """Puts an evaluation into a run's folder."""
    (path / "evaluation.json").write_text(json.dumps({"test": EVALUATION}))


class Page(HTMLParser):
    """What a page holds, by kind of element.

    Attributes:
        elements: Names and attributes, in order.
        cells: Text of each row of each table.
        text: All text.
        unclosed: Elements that were opened and not closed, or the other way round.
    """

    VOID = ("meta", "img", "line", "rect", "polyline", "path", "br", "wbr")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.unclosed: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.unclosed += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID and (not self._open or self._open.pop() != tag):
            self.unclosed.append(tag)

    def handle_data(self, data: str) -> None:
        data = data.replace("\u00a0", " ")  # which only keep a number together
        self.text += data
        if self._open and self._open[-1] in ("td", "th"):
            self.rows[-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]
