"""A model with two layers passes through every command as a model with one does."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import vae_cli
from vae_cli.commands.eval import main as evaluate
from vae_cli.commands.export import main as export
from vae_cli.commands.sample import main as sample

MODEL = """\
_target_: hierarchy.Hierarchy
shape: ${derived.shape}
encoder: ${network}
decoder: ${network}
likelihood: ${likelihood}
"""
FIGURES = (
    "reconstructions,samples,latent_map,traversals,interpolations,denoise,posterior_predictive"
)


@pytest.mark.parametrize("data", ["digits", "spiral"])
def test_a_hierarchy(
    data: str,
    vae_train: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copy(Path(__file__).parents[1] / "builders" / "hierarchy.py", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "conf" / "vae_cli" / "model" / "hierarchy.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(MODEL)
    run = vae_train(
        f"data={data}", "model=hierarchy", "~posterior", "~prior", "trainer.max_steps=6",
        "logger=csv", "metric=[active_units,kl_per_dimension,log_likelihood]",
    )  # fmt: skip
    results = json.loads((run / "results.json").read_text())
    shares = [results[f"test/kl_per_layer/{layer}"] for layer in range(2)]
    assert sum(shares) == pytest.approx(results["test/kl"], abs=1)
    (curves,) = run.rglob("*.csv")
    assert "validation_kl_per_layer/0" in curves.read_text().splitlines()[0].split(",")
    trusted = [f"run={run}", "trust=true"]
    assert evaluate([*trusted, "samples=20", "metric=[importance_sampling]"]) == 0
    figures = FIGURES if data == "digits" else "latent_map,traversals"
    assert sample([*trusted, f"what={figures}"]) == 0
    if data == "digits":
        assert export([*trusted, "output=exported"]) == 0
    trained = vae_cli.load(run, trust=True)
    x = trained.sample(3)
    assert trained.encode(x).shape == (3, 5) and trained.reconstruct(x).shape == x.shape
    assert np.isfinite(trained.log_likelihood((x > 0.5).astype(np.float32), samples=50)).all()
